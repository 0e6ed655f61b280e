"""Which modules are mutated, a room at a time, and the short unit tests that have to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Room:
    """Modules that are tested together.

    Attributes:
        modules: files, as patterns of `pathlib.PurePath.match`.
        tests: files or directories of tests, without sockets, broker or waiting.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]


_PLANNER: Final = "tests/unit/planner"

ROOMS: Final = {
    "turns": Room(("planner/turns.py",), (f"{_PLANNER}/test_turns.py", f"{_PLANNER}/test_rollout.py")),
    "placement": Room(
        ("planner/placement.py", "planner/outlook.py", "planner/leaving.py", "planner/restraint.py"),
        (
            f"{_PLANNER}/test_reconcile.py",
            f"{_PLANNER}/test_reconcile_laws.py",
            f"{_PLANNER}/test_drains.py",
            f"{_PLANNER}/test_leaving.py",
            f"{_PLANNER}/test_restraint.py",
            f"{_PLANNER}/test_outlook.py",
            f"{_PLANNER}/test_placement.py",
            f"{_PLANNER}/test_placement_gone.py",
            f"{_PLANNER}/test_plans_and_standing.py",
        ),
    ),
    "standing": Room(
        (
            "planner/standing/*.py",
            "planner/disruption.py",
            "planner/budget.py",
            "planner/amount.py",
            "planner/moments.py",
        ),
        (
            f"{_PLANNER}/test_amounts.py",
            f"{_PLANNER}/test_standing.py",
            f"{_PLANNER}/test_standing_verbs.py",
            f"{_PLANNER}/test_disruption.py",
            f"{_PLANNER}/test_disruption_health.py",
            f"{_PLANNER}/test_drains.py",
        ),
    ),
    "rollout": Room(
        ("planner/rollout/*.py", "planner/release.py"),
        (
            f"{_PLANNER}/test_rollout_deeds.py",
            f"{_PLANNER}/test_rollout_looks.py",
            f"{_PLANNER}/test_rollout_policy.py",
            f"{_PLANNER}/test_rollout_steps.py",
            f"{_PLANNER}/test_configured_rollouts.py",
        ),
    ),
    "reconcile": Room(
        ("planner/reconcile/*.py",),
        (
            f"{_PLANNER}/test_reconcile.py",
            f"{_PLANNER}/test_reconcile_laws.py",
            f"{_PLANNER}/test_order_digests.py",
            f"{_PLANNER}/test_orders_in_detail.py",
            f"{_PLANNER}/test_turns_and_summary.py",
            f"{_PLANNER}/test_following.py",
            f"{_PLANNER}/test_held_back.py",
            f"{_PLANNER}/test_needs.py",
            f"{_PLANNER}/test_resting.py",
            f"{_PLANNER}/test_round_answers.py",
            f"{_PLANNER}/test_round_pauses.py",
            f"{_PLANNER}/test_round_scope.py",
            f"{_PLANNER}/test_sent_orders.py",
            f"{_PLANNER}/test_settling.py",
            f"{_PLANNER}/test_slice_status.py",
        ),
    ),
    "previews": Room(
        ("planner/preview.py", "planner/foresight.py"),
        (
            f"{_PLANNER}/test_preview.py",
            f"{_PLANNER}/test_preview_in_detail.py",
            f"{_PLANNER}/test_foresight.py",
        ),
    ),
    "guards": Room(
        ("planner/guarded.py", "dsmt_core/guards.py"),
        (f"{_PLANNER}/test_guarded.py", "tests/unit/core/test_guards.py"),
    ),
    "rights": Room(
        ("planner/authority/rights.py", "planner/authority/speaking.py"), (f"{_PLANNER}/test_rights.py",)
    ),
    "requirements": Room(("planner/requirements.py",), ("tests/unit/planner_act/test_requirements.py",)),
    "wanted": Room(("planner/wanted.py", "planner/steps.py"), (f"{_PLANNER}/test_wanted.py",)),
    "silences": Room(
        ("planner/silences.py", "planner/place.py", "planner/once.py"),
        (f"{_PLANNER}/test_silences.py", f"{_PLANNER}/test_once.py"),
    ),
    "plans": Room(
        ("planner/plans/*.py",),
        (
            f"{_PLANNER}/test_plans.py",
            f"{_PLANNER}/test_plan_functions.py",
            f"{_PLANNER}/test_condition_words.py",
            f"{_PLANNER}/test_conditions.py",
            f"{_PLANNER}/test_grounds.py",
            f"{_PLANNER}/test_plans_laws.py",
            f"{_PLANNER}/test_plan_chance.py",
            f"{_PLANNER}/test_plan_churn.py",
            f"{_PLANNER}/test_plan_filters.py",
            f"{_PLANNER}/test_plan_places.py",
            f"{_PLANNER}/test_plan_words.py",
        ),
    ),
    "sword": Room(
        ("planner/plans/sword/*.py",),
        (
            f"{_PLANNER}/test_sword.py",
            f"{_PLANNER}/test_sword_parts.py",
            f"{_PLANNER}/test_sword_reading.py",
        ),
    ),
    "failed_nodes": Room(
        ("planner/failed_nodes/*.py",),
        (
            f"{_PLANNER}/test_failed_nodes.py",
            f"{_PLANNER}/test_failed_nodes_distrusted.py",
            f"{_PLANNER}/test_failed_nodes_maintained.py",
            f"{_PLANNER}/test_failed_nodes_outcomes.py",
            f"{_PLANNER}/test_failed_nodes_parts.py",
            f"{_PLANNER}/test_failed_nodes_probes.py",
            f"{_PLANNER}/test_failed_nodes_trials.py",
            f"{_PLANNER}/test_failed_nodes_verdicts.py",
            f"{_PLANNER}/test_misfits.py",
            f"{_PLANNER}/test_misfits_doubted.py",
            f"{_PLANNER}/test_misfits_in_detail.py",
        ),
    ),
    "fleet": Room(
        ("planner/fleet/*.py",),
        (
            f"{_PLANNER}/test_fleet.py",
            f"{_PLANNER}/test_fleet_health.py",
            f"{_PLANNER}/test_fleet_in_detail.py",
            f"{_PLANNER}/test_fleet_parts.py",
            f"{_PLANNER}/test_folding.py",
        ),
    ),
    "labels": Room(("planner/labels.py",), (f"{_PLANNER}/test_labels.py",)),
    "facts": Room(
        ("planner/facts/taking.py", "planner/facts/held.py", "agents/told_facts.py"),
        (f"{_PLANNER}/test_facts.py", "tests/unit/agents_node/test_fact_programs.py"),
    ),
    "catalogue": Room(
        ("planner/catalogue/*.py",),
        (f"{_PLANNER}/test_catalogue.py", f"{_PLANNER}/test_catalogue_in_detail.py"),
    ),
    "container_manager": Room(
        ("agents/container_manager/decide/*.py",),
        (
            "tests/unit/agents_node/test_decide.py",
            "tests/unit/agents_node/test_probes.py",
            "tests/unit/agents_node/test_sliver_steps.py",
        ),
    ),
    "deployment_agent": Room(
        ("agents/deployment_agent/decide/*.py",),
        (
            "tests/unit/agents_deployment/test_configured.py",
            "tests/unit/agents_deployment/test_course.py",
            "tests/unit/agents_deployment/test_deployment.py",
            "tests/unit/agents_deployment/test_deployments.py",
            "tests/unit/agents_deployment/test_deployments_in_detail.py",
            "tests/unit/agents_deployment/test_following_steps.py",
            "tests/unit/agents_deployment/test_judgement.py",
            "tests/unit/agents_deployment/test_records.py",
        ),
    ),
    "language": Room(
        (
            "dsmt_core/commands.py",
            "dsmt_core/events.py",
            "dsmt_core/last_values.py",
            "dsmt_core/leases.py",
            "dsmt_core/lifecycle.py",
            "dsmt_core/nodes.py",
        ),
        ("tests/unit/core",),
    ),
}
