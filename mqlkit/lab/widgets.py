"""Widgets with their labels."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

WIDE = {"description_width": "initial"}


class Quiet:
    """Widgets are set ``with`` it without that being taken for a choice; true while they are."""

    def __init__(self) -> None:
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1

    def __bool__(self) -> bool:
        return self._depth > 0


def dropdown(label: str, options: dict[str, str]) -> widgets.Dropdown:
    """Return a list to choose one from; ``options`` are what is read and what it stands for."""
    layout = widgets.Layout(width="auto")
    return widgets.Dropdown(
        description=label, options=list(options.items()), style=WIDE, layout=layout
    )


def text(label: str, placeholder: str, width: str) -> widgets.Text:
    """Return a line of text, taken when it is finished."""
    return widgets.Text(
        description=label, placeholder=placeholder, continuous_update=False, style=WIDE,
        layout=widgets.Layout(width=width),
    )  # fmt: skip


def ear(label: str, name: str) -> widgets.Text:
    """Return an element that the page tells of something; nobody sees it or comes to it by keys.

    ``name`` is a class of its own, by which scripts find it.
    """
    heard = text(label, "", "1px")
    heard.continuous_update = True
    heard.layout.display = "none"
    heard.add_class("mk-ear").add_class(name)
    return heard


def row(*parts: widgets.Widget) -> widgets.HBox:
    """Return widgets beside each other, on as many lines as they need."""
    layout = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 10px")
    return widgets.HBox(list(parts), layout=layout)


def message() -> widgets.HTML:
    """Return a place for a message."""
    return widgets.HTML()


def alert(text: str) -> str:
    """Return what is wrong, as a screen reader says at once."""
    return f'<p class="mk-fault" role="alert">{escape(text)}</p>'


def said(text: str) -> str:
    """Return what is going on, as a screen reader says in passing."""
    return f'<p class="mk-state" role="status">{escape(text)}</p>'


def button(label: str, tooltip: str) -> widgets.Button:
    """Return a button as wide as its label."""
    return widgets.Button(description=label, tooltip=tooltip, layout=widgets.Layout(width="auto"))


def close(widget: widgets.Widget) -> None:
    """Take a widget away for good, with all that it holds: rows, layouts, styles."""
    for name in widget.keys:
        held = getattr(widget, name)
        for part in held if isinstance(held, tuple) else (held,):
            if isinstance(part, widgets.Widget):
                close(part)
    widget.close()


class Slider(widgets.IntSlider):  # type: ignore[misc]
    """A slider that stays where it was moved to last.

    What a kernel hears it tells the browser again; coming late, that takes a slider on the move
    back to where it was, and its last position is never heard of.
    """

    value = type(widgets.IntSlider.value)().tag(sync=True, echo_update=False)


def slider(label: str, most: int) -> widgets.IntSlider:
    """Return a slider from 0, taken where it comes to rest."""
    return Slider(
        description=label, min=0, max=most, style=WIDE, continuous_update=False,
        layout=widgets.Layout(width="415px"),
    )  # fmt: skip


def number(label: str, most: int) -> widgets.BoundedIntText:
    """Return a whole number from 1."""
    return widgets.BoundedIntText(
        description=label, min=1, max=most, style=WIDE, layout=widgets.Layout(width="190px")
    )


def several(label: str, tooltip: str) -> widgets.SelectMultiple:
    """Return a list to choose any number from."""
    return widgets.SelectMultiple(
        description=label, rows=4, style=WIDE, tooltip=tooltip,
        layout=widgets.Layout(width="230px"),
    )  # fmt: skip


def day_picker(label: str, width: str) -> widgets.DatePicker:
    """Return a day to choose."""
    return widgets.DatePicker(description=label, style=WIDE, layout=widgets.Layout(width=width))
