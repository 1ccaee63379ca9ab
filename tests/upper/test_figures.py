"""Charts as pictures for slides."""

from __future__ import annotations

import struct
from xml.etree import ElementTree

import altair as alt
import nbformat.v4 as v4
import pandas as pd
import pytest

from mqlkit.pages.cells import bundle
from mqlkit.pages.slides import write_figures

HOSTILE = '<script>&"</script>'
SVG = "{http://www.w3.org/2000/svg}"


def chart(description, name="Web"):
    frame = pd.DataFrame({"source": [name, "Event"], "mqls": [3, 5]})
    drawn = alt.Chart(frame).mark_bar().encode(x="mqls:Q", y="source:N")
    # The page lets its own background shine through.
    return drawn.properties(description=description).configure(background="transparent")


def notebook_of(*charts):
    outputs = [v4.new_output("display_data", data=bundle(c)) for c in charts]
    note = v4.new_output("stream", text="nothing to see")
    cells = [v4.new_markdown_cell("## Volume"), v4.new_code_cell(outputs=[note, *outputs])]
    return v4.new_notebook(cells=cells)


@pytest.fixture
def written(tmp_path):
    charts = [chart("MQLs by source, from 3 to 5."), chart("Über uns", HOSTILE)]
    write_figures(notebook_of(*charts), tmp_path / "figures")
    return tmp_path / "figures"


def test_each_chart_is_there_twice_in_the_order_of_the_page(written):
    names = ["01-mqls-by-source.png", "01-mqls-by-source.svg", "02-ber-uns.png", "02-ber-uns.svg"]
    assert sorted(p.name for p in written.iterdir()) == names


def test_the_png_is_twice_as_sharp_as_the_svg(written):
    svg = ElementTree.fromstring((written / "01-mqls-by-source.svg").read_text(encoding="utf-8"))
    png = (written / "01-mqls-by-source.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width == pytest.approx(2 * float(svg.get("width")), abs=2)
    assert height == pytest.approx(2 * float(svg.get("height")), abs=2)


def test_the_picture_shows_the_data_on_white(written):
    svg = ElementTree.fromstring((written / "01-mqls-by-source.svg").read_text(encoding="utf-8"))
    texts = {t.text for t in svg.iter(f"{SVG}text")}
    assert {"Web", "Event", "source", "mqls"} <= texts
    assert next(svg.iter(f"{SVG}rect")).get("fill") == "white"


def test_text_from_the_data_stays_text(written):
    text = (written / "02-ber-uns.svg").read_text(encoding="utf-8")
    assert HOSTILE in {t.text for t in ElementTree.fromstring(text).iter(f"{SVG}text")}
    assert "<script" not in text


def test_no_figure_asks_for_an_address(tmp_path):
    spec = chart("Elsewhere").to_dict() | {"data": {"url": "http://192.0.2.1/data.csv"}}
    notebook = notebook_of(chart("Elsewhere"))
    (bundled,) = [o.data for o in notebook.cells[1].outputs if o.output_type == "display_data"]
    bundled["application/vnd.vegalite.v5+json"] = spec
    with pytest.raises(ValueError, match=r"192\.0\.2\.1"):
        write_figures(notebook, tmp_path)
