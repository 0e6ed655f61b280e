// The outlines of the land, as one path in degrees (east, and north upside down); null where there are none.

let loading = null;

/** A promise of the outlines; they are loaded once. */
export function land() {
  loading ??= load();
  return loading;
}

async function load() {
  try {
    const [{ default: feature }, answer] = await Promise.all([
      import("./fetched/topojson-client/src/feature.js"),
      fetch("fetched/world-atlas/land-110m.json"),
    ]);
    if (!answer.ok) return null;
    const world = await answer.json();
    return pathOf(feature(world, world.objects.land));
  } catch {
    return null;
  }
}

function pathOf(collection) {
  const path = new Path2D();
  const polygons = (collection.features ?? [collection]).flatMap(({ geometry }) =>
    geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates,
  );
  for (const ring of polygons.flat().map(unwrapped)) {
    // Land on both sides of 180 degrees is drawn on both edges of the map.
    const beyond = ring.some(([east]) => Math.abs(east) > 180) ? [-360, 0, 360] : [0];
    for (const turn of beyond) {
      ring.forEach(([east, north], place) =>
        place ? path.lineTo(east + turn, -north) : path.moveTo(east + turn, -north),
      );
      path.closePath();
    }
  }
  return path;
}

/** A ring that goes on where it crosses 180 degrees; one around a pole (Antarctica) is closed there. */
function unwrapped(ring) {
  let turn = 0;
  const found = ring.map(([east, north], place) => {
    const step = place ? east - ring[place - 1][0] : 0;
    if (Math.abs(step) > 180) turn -= Math.sign(step) * 360;
    return [east + turn, north];
  });
  if (Math.abs(turn) > 180) found.push([found.at(-1)[0], -90], [found[0][0], -90]);
  return found;
}
