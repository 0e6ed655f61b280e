"""What can be asked of the planner about the plans of a slice."""

from __future__ import annotations

from collections.abc import Mapping

from dsmtc.client import answers
from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice
from dsmtc.client.previewed import Preview


class Plans(Caller):
    """Named plans, and the plan in force."""

    def set_plan(
        self, slice_: str, plan: str, parameters: Mapping[str, str], *, check_index: str = ""
    ) -> answers.Slice:
        """Choose the node selection.

        Args:
            slice_: of which slice.
            plan: one of its plans, or a function.
            parameters: further ones.
            check_index: of a `preview`; the change is made only if it would do just that.

        Raises:
            Conflict: the world has changed since the preview; nothing was changed.
        """
        body = _checked({"plan": plan, "parameters": dict(parameters)}, check_index)
        return self.call("PUT", of_slice(slice_, "plan"), body, shape=answers.Slice)

    def preview(self, slice_: str, plan: str, parameters: Mapping[str, str]) -> Preview:
        """What `set_plan` would set in motion; changes nothing."""
        body = {"plan": plan, "parameters": dict(parameters)}
        return self.call("POST", of_slice(slice_, "plan", "preview"), body, shape=Preview)

    def plans(self, slice_: str) -> list[answers.Plan]:
        """The plans of a slice, and the functions that plans are made of."""
        return self.call("GET", of_slice(slice_, "plans"), shape=list[answers.Plan])

    def plan(self, slice_: str, name: str) -> answers.Plan:
        """One plan."""
        return self.call("GET", of_slice(slice_, "plans", name), shape=answers.Plan)

    def define_plan(
        self, slice_: str, name: str, base: str, parameters: Mapping[str, str], *, check_index: str = ""
    ) -> answers.Plan:
        """Define a plan, or define it anew; ``check_index`` is of a `preview_plan`.

        Raises:
            Conflict: the world has changed since the preview; nothing was changed.
        """
        body = _checked({"base": base, "parameters": dict(parameters)}, check_index)
        return self.call("PUT", of_slice(slice_, "plans", name), body, shape=answers.Plan)

    def preview_plan(self, slice_: str, name: str, base: str, parameters: Mapping[str, str]) -> Preview:
        """What `define_plan` would set in motion; changes nothing."""
        body = {"base": base, "parameters": dict(parameters)}
        return self.call("POST", of_slice(slice_, "plans", name, "preview"), body, shape=Preview)

    def delete_plan(self, slice_: str, name: str) -> None:
        """Delete a plan that nothing uses."""
        self.call("DELETE", of_slice(slice_, "plans", name), shape=answers.Done)

    def evaluate(self, slice_: str, plan: str, parameters: Mapping[str, str]) -> answers.Evaluation:
        """What a plan selects now, and why; changes nothing."""
        body = {"plan": plan, "parameters": dict(parameters)}
        return self.call("POST", of_slice(slice_, "plans", "eval"), body, shape=answers.Evaluation)

    def explain(
        self, slice_: str, plan: str, parameters: Mapping[str, str], host: str
    ) -> answers.Explanation:
        """Whether a plan selects a node now, and which function of which plan decided."""
        body = {"plan": plan, "parameters": dict(parameters), "host": host}
        return self.call("POST", of_slice(slice_, "plans", "explain"), body, shape=answers.Explanation)

    def functions(self) -> list[answers.PlanFunction]:
        """The functions of which plans are made."""
        return self.call("GET", "/v1/functions", shape=list[answers.PlanFunction])


def _checked(body: dict[str, object], index: str) -> dict[str, object]:
    """The body of a change, with the index where one is to be checked."""
    return body | ({"check_index": index} if index else {})
