"""Records that a CRM has merged: each of their rows and events is of the surviving lead."""

from __future__ import annotations

import pytest

from mqlkit.run.check import examine
from mqlkit.sources.merged_records import ids_in

EVENTS = "lead_id,at,stage\n1,2026-01-09 10:00,sql\n2,2026-01-05 10:00,accepted\n"


def read(desk, leads, events=None, **block):
    desk.write("leads.csv", leads)
    source = {"leads": {"files": ["leads.csv"], "timezone": "UTC", **block}}
    if events is not None:
        desk.write("events.csv", events)
        source["history"] = [{"files": ["events.csv"]}]
    return desk.read(source)


def leads_of(tables):
    return tables.leads.order_by("lead_id").to_pyarrow()["lead_id"].to_pylist()


def events_of(tables):
    rows = tables.events.order_by(["lead_id", "at"]).to_pyarrow().to_pylist()
    return [(row["lead_id"], row["stage"]) for row in rows]


HUBSPOT = "Record ID,Create Date,Became a Marketing Qualified Lead Date,{0}\n"


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Merged contact IDs", "2"),
        ("Merged contact IDs", "7;2;8"),
        ("hs_merged_object_ids", "2;7"),
        ("hs_calculated_merged_vids", "2:1594636789273;7:1594636789273"),
        ("merged_ids", "2, 7"),
    ],
)
def test_events_under_ids_merged_into_a_contact_are_of_that_contact(desk, header, cell):
    rows = f'1,2026-01-01 09:00,2026-01-02 09:00,"{cell}"\n3,2026-01-01 09:00,2026-01-03 09:00,\n'
    tables = read(desk, HUBSPOT.format(header) + rows, EVENTS)
    assert events_of(tables) == [("1", "accepted"), ("1", "sql")]
    assert tables.ledgers["history"].noted["merged_record"] == 1
    assert leads_of(tables) == ["1", "3"]


def test_a_lead_merged_into_another_is_no_lead_of_its_own(desk):
    # As Salesforce exports deleted records: the loser names its master.
    leads = (
        "Id,CreatedDate,MQL_Date__c,MasterRecordId\n"
        "1,2026-01-01T09:00:00Z,2026-01-04T09:00:00Z,\n"
        "2,2026-01-01T09:00:00Z,2026-01-03T09:00:00Z,1\n"
        "3,2026-01-01T09:00:00Z,2026-01-03T09:00:00Z,2\n"  # merged twice
    )
    tables = read(desk, leads, EVENTS)
    assert leads_of(tables) == ["1"]
    assert events_of(tables) == [("1", "accepted"), ("1", "sql")]
    # The lead became an MQL when the first of its records did.
    assert str(tables.leads.to_pyarrow()["mql_at"][0].as_py()) == "2026-01-03 09:00:00"
    noted = tables.ledgers["leads"].noted
    assert (noted["merged_record"], noted["merged"]) == (2, 2)


def test_a_column_of_ones_own_may_tell_it(desk):
    leads = "lead_id,mql_at,Duplicate of\n1,2026-01-02,\n2,2026-01-03,1\n"
    assert leads_of(read(desk, leads, columns={"merged_into": "Duplicate of"})) == ["1"]


def test_records_that_name_each_other_stay_apart(desk):
    leads = "lead_id,mql_at,merged_into\n1,2026-01-02,2\n2,2026-01-03,1\n3,2026-01-03,3\n"
    assert leads_of(read(desk, leads)) == ["1", "2", "3"]


def test_large_tables_merge_too(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", 0)
    leads = "lead_id,mql_at,merged_into\n1,2026-01-02 10:00,\n2,2026-01-03 10:00,1\n"
    assert leads_of(read(desk, leads)) == ["1"]


def test_merges_among_the_activities_of_marketo_count(desk):
    desk.write(
        "leads.csv", "lead_id,created_at,mql_at\n1,2026-01-01T09:00:00Z,2026-01-02T09:00:00Z\n"
    )
    desk.write(
        "activities.csv",
        "marketoGUID,leadId,activityDate,activityTypeId,campaignId,primaryAttributeValueId,"
        "primaryAttributeValue,attributes\n"
        '1,2,2026-01-05T10:00:00Z,101,,,,"{""New Stage"":""SQL""}"\n'
        '2,1,2026-01-06T10:00:00Z,32,,,,"{""Merge IDs"":[2,3]}"\n',
    )
    source = {"leads": {"files": ["leads.csv"]}, "history": [{"files": ["activities.csv"]}]}
    assert ("1", "sql") in events_of(desk.read(source))


def test_check_counts_the_events_of_no_lead_and_of_merged_records(desk):
    desk.write("leads.csv", "lead_id,mql_at,merged_ids\n1,2026-01-02,2\n")
    desk.write("events.csv", EVENTS + "9,2026-01-09 10:00,sql\n")
    _, looks = examine([desk.folder / "leads.csv", desk.folder / "events.csv"])
    (history,) = [look for look in looks if look.table == "history"]
    assert history.ledger.noted["unknown_lead"] == 1
    assert history.ledger.noted["merged_record"] == 1


def test_ids_are_split_at_any_separator():
    assert ids_in(' ["a", "b"] ') == ["a", "b"]
    assert ids_in("") == []
