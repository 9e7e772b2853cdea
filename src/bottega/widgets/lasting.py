"""Displays that outlive what feeds them.

A widget lives by its connection to the kernel. What a notebook keeps of it when that is gone is
what the display holds besides: text and HTML. So a display is made with a name, and when a widget
has nothing live to show any more, the display is replaced by its last state.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import ipywidgets

from bottega.widgets import frontend

WIDGET = "application/vnd.jupyter.widget-view+json"


class OpensOnAPage:
    """A widget that connects to the page only where there is one.

    Without, nothing of it would be seen, but what executes the notebook would store it.
    """

    def open(self) -> None:
        if frontend.shows_widgets():
            super().open()  # type: ignore[misc]


class PageLayout(OpensOnAPage, ipywidgets.Layout):  # type: ignore[misc]
    """The layout that every widget has, as quiet as its widget."""


class LastingDisplay(OpensOnAPage):
    """A widget whose displays carry, and in the end become, a form that stands alone.

    To be mixed into a widget, before it.
    """

    _displays: tuple[str, ...] = ()
    comm: Any
    model_id: Any

    def standing_alone(self) -> Mapping[str, str]:
        """The present state by MIME type, ``text/plain`` among them."""
        return {"text/plain": repr(self)}

    @property
    def is_live(self) -> bool:
        """Whether the widget has more to offer than its form that stands alone."""
        return True

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: dict[str, Any] = dict(self.standing_alone())
        if self.is_live and self.comm is not None:
            bundle[WIDGET] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            }
        return bundle, {}

    def _ipython_display_(self, **_: Any) -> None:
        """Show it; IPython calls this, with preference, for the value of a cell."""
        name = uuid.uuid4().hex
        self._displays += (name,)
        frontend.show(self._repr_mimebundle_()[0], name)

    def settle(self) -> None:
        """Replace every display by the form that stands alone."""
        for name in self._displays:
            frontend.replace(self.standing_alone(), name)
