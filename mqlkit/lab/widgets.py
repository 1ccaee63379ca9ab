"""Widgets with their labels."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

WIDE = {"description_width": "initial"}


class SuppressEvents:
    """Context in which widgets are set without triggering a change; true inside it."""

    def __init__(self) -> None:
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1

    def __bool__(self) -> bool:
        return self._depth > 0


def dropdown(label: str, options: dict[str, str]) -> widgets.Dropdown:
    """Return a dropdown; ``options`` maps labels to values."""
    layout = widgets.Layout(width="auto")
    return widgets.Dropdown(
        description=label, options=list(options.items()), style=WIDE, layout=layout
    )


def text(label: str, placeholder: str, width: str) -> widgets.Text:
    """Return a text field that reports its value when editing ends."""
    return widgets.Text(
        description=label, placeholder=placeholder, continuous_update=False, style=WIDE,
        layout=widgets.Layout(width=width),
    )  # fmt: skip


def hidden_input(label: str, name: str) -> widgets.Text:
    """Return an invisible text field that scripts of the page set; ``name`` is its CSS class."""
    field = text(label, "", "1px")
    field.continuous_update = True
    field.layout.display = "none"
    field.add_class("mk-input").add_class(name)
    return field


def row(*parts: widgets.Widget) -> widgets.HBox:
    """Return widgets side by side, wrapped onto several lines if needed."""
    layout = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
    return widgets.HBox(list(parts), layout=layout)


def message() -> widgets.HTML:
    """Return a place for a message."""
    return widgets.HTML()


def alert(text: str) -> str:
    """Return a fault as HTML that a screen reader announces at once."""
    return f'<p class="mk-fault" role="alert">{escape(text)}</p>'


def status(text: str) -> str:
    """Return a status message as HTML that a screen reader announces when idle."""
    return f'<p class="mk-state" role="status">{escape(text)}</p>'


def button(label: str, tooltip: str) -> widgets.Button:
    """Return a button as wide as its label."""
    return widgets.Button(description=label, tooltip=tooltip, layout=widgets.Layout(width="auto"))


def close(widget: widgets.Widget) -> None:
    """Close a widget and everything it contains: rows, layouts, styles."""
    for name in widget.keys:
        held = getattr(widget, name)
        for part in held if isinstance(held, tuple) else (held,):
            if isinstance(part, widgets.Widget):
                close(part)
    widget.close()


class Slider(widgets.IntSlider):  # type: ignore[misc]
    """A slider that keeps the position it was last moved to.

    By default, the kernel echoes each value to the browser. A late echo moves a slider back while
    it is being moved, and its last position is lost.
    """

    value = type(widgets.IntSlider.value)().tag(sync=True, echo_update=False)


def slider(label: str, most: int) -> widgets.IntSlider:
    """Return a slider from 0 that reports its value when it is released."""
    return Slider(
        description=label, min=0, max=most, style=WIDE, continuous_update=False,
        layout=widgets.Layout(width="415px"),
    )  # fmt: skip


def number(label: str, most: int) -> widgets.BoundedIntText:
    """Return a field for a whole number from 1."""
    return widgets.BoundedIntText(
        description=label, min=1, max=most, style=WIDE, layout=widgets.Layout(width="190px")
    )


def several(label: str, tooltip: str) -> widgets.SelectMultiple:
    """Return a list with multiple selection."""
    return widgets.SelectMultiple(
        description=label, rows=4, style=WIDE, tooltip=tooltip,
        layout=widgets.Layout(width="230px"),
    )  # fmt: skip


def day_picker(label: str, width: str) -> widgets.DatePicker:
    """Return a date picker."""
    return widgets.DatePicker(description=label, style=WIDE, layout=widgets.Layout(width=width))
