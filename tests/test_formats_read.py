"""A tiny export in each format, with invented rows, read as it was downloaded."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import SourceError
from mqlkit.sources.questions import Undecided

MQL = "2026-01-05 10:00:00"


def read(desk, table, content, **block):
    """Read one export and return its rows as text, with the reasons of those set aside."""
    desk.write("export.csv", content)
    given = {"files": ["export.csv"], **block}
    description = {table: [given] if table == "history" else given}
    if table == "spend":
        desk.write("leads.csv", "lead_id,mql_at\n1,2026-01-01\n")
        description["leads"] = {"files": ["leads.csv"]}
    tables = desk.read(description)
    aside = dict(tables.ledgers[table].set_aside)
    if table == "spend":
        rows = tables.spend[["date_from", "date_to", "channel", "amount"]]
        return [tuple(map(str, row)) for row in rows.itertuples(index=False)], aside, tables
    if table == "history":
        events = tables.events.order_by("lead_id", "at").to_pyarrow().to_pylist()
        return [(e["lead_id"], str(e["at"]), e["stage"]) for e in events], aside, tables
    leads = tables.leads.order_by("lead_id").to_pyarrow().to_pylist()
    names = ("lead_id", "created_at", "mql_at", "sql_at", "owner", "source")
    return [tuple(str(r[n]) if r[n] else "" for n in names) for r in leads], aside, tables


# Format, export, settings, rows, reasons of the rows set aside.
LEADS = {
    "Data Loader": (
        (
            "Id,CreatedDate,LeadSource,OwnerId,MQL_Date__c\n"
            "00Q1,2026-01-02T08:00:00.000Z,Web,0051,2026-01-05T10:00:00.000+0000\n"
        ),
        {},
        [("00Q1", "2026-01-02 08:00:00", MQL, "", "0051", "Web")],
        {},
    ),
    "Salesforce report": (
        (
            '"Lead ID","Lead Owner","Lead Source","Create Date","MQL Date"\n'
            '"00Q1","Hall","Web","1/13/2026","1/15/2026"\n'
            '"00Q2","Hall","Web","1/2/2026",""\n'
            '\n"Grand Totals (2 records)"\n'
            '"Confidential Information - Do Not Distribute"\n'
            '"Copyright © 2000-2026 salesforce.com, inc. All rights reserved."\n'
        ),
        {},
        [
            ("00Q1", "2026-01-13 00:00:00", "2026-01-15 00:00:00", "", "Hall", "Web"),
            ("00Q2", "2026-01-02 00:00:00", "", "", "Hall", "Web"),
        ],
        {"blank": 1, "not_data": 2, "total_row": 1},
    ),
    "HubSpot": (
        (
            "Record ID,Create Date,Became a Marketing Qualified Lead Date,Contact owner,"
            "Original Source\n77,2026-01-02 08:00,2026-01-05 10:00,Hall,Offline Sources\n"
        ),
        {"timezone": "UTC"},
        [("77", "2026-01-02 08:00:00", MQL, "", "Hall", "Offline Sources")],
        {},
    ),
    "HubSpot, by the pipeline": (
        (
            'Record ID,"Date entered ""Marketing Qualified Lead (Lifecycle Stage Pipeline)""",'
            '"Date entered ""Sales Qualified Lead (Lifecycle Stage Pipeline)"""\n'
            "77,2026-01-05 10:00,2026-01-06 10:00\n"
        ),
        {"timezone": "UTC"},
        [("77", "", MQL, "2026-01-06 10:00:00", "", "")],
        {},
    ),
    "Marketo": (
        (
            "id,email,createdAt,leadStatus,leadSource,mqlDate\n"
            "9,null,2026-01-02T08:00:00Z,null,null,2026-01-05T10:00:00Z\n"
        ),
        {},
        [("9", "2026-01-02 08:00:00", MQL, "", "", "")],
        {},
    ),
    "Dynamics 365": (
        (
            "(Do Not Modify) Lead,(Do Not Modify) Row Checksum,Created On,Owner,Leads_MQL Date\n"
            "a-1,x,1/13/2026 2:15 PM,Hall,1/15/2026 10:00 AM\n"
        ),
        {"timezone": "UTC"},
        [("a-1", "2026-01-13 14:15:00", "2026-01-15 10:00:00", "", "Hall", "")],
        {},
    ),
    "SuiteCRM": (
        (
            '"ID";"Date Created";"Lead Source";"Assigned to";"MQL Date"\r\n'
            '"a-1";"30.01.2026 10:00";"Messe";"hall";"31.01.2026 10:00"\r\n'
        ),
        {"timezone": "Europe/Tallinn"},
        [("a-1", "2026-01-30 08:00:00", "2026-01-31 08:00:00", "", "hall", "Messe")],
        {},
    ),
    "Zoho": (
        (
            "Record Id,Lead Owner,Lead Source,Created Time,MQL Date\n"
            'zcrm_1,Hall,Web,"15 Jan, 2026 00:03:00","16 Jan, 2026 10:00:00"\n'
        ),
        {"timezone": "UTC"},
        [("zcrm_1", "2026-01-15 00:03:00", "2026-01-16 10:00:00", "", "Hall", "Web")],
        {},
    ),
    "Pipedrive": (
        (
            "Lead - ID,Lead - Title,Lead - Owner,Lead - Lead created,Lead - MQL date\n"
            "p-1,Acme,Hall,2026-01-02 08:00:00,2026-01-05 10:00:00\n"
        ),
        {"timezone": "UTC"},
        [("p-1", "2026-01-02 08:00:00", MQL, "", "Hall", "")],
        {},
    ),
    "Account Engagement": (
        (
            "id,email,created_at,assigned_to,source,crm_lead_fid,mql_date\n"
            "5,a@example.com,2026-01-02 08:00:00,Hall,Webinar,00Q1,2026-01-05 10:00:00\n"
        ),
        {"timezone": "UTC"},
        [("5", "2026-01-02 08:00:00", MQL, "", "Hall", "Webinar")],
        {},
    ),
    # Each stamp has an offset of its own: no zone is asked for.
    "Close": (
        (
            "id,display_name,status_label,date_created,custom.Lead Owner.name,custom.MQL Date\n"
            "lead_1,Acme,MQL,2026-01-02 10:00:00.000000+02:00,Hall,2026-01-05T05:00:00-05:00\n"
        ),
        {},
        [("lead_1", "2026-01-02 08:00:00", MQL, "", "Hall", "")],
        {},
    ),
    "Freshsales": (
        (
            "Id,First name,Sales owner,Lifecycle stage,Original source,Created at,MQL date\n"
            "402,A,Hall,Lead,Web,2026-01-02 08:00:00 UTC,2026-01-05 10:00:00 UTC\n"
        ),
        {},
        [("402", "2026-01-02 08:00:00", MQL, "", "Hall", "Web")],
        {},
    ),
    "ActiveCampaign": (
        (
            "id,email,cdate,udate,MQL Date\n"
            "7,a@example.com,2026-01-02T03:00:00-05:00,,2026-01-05T05:00:00-05:00\n"
        ),
        {},
        [("7", "2026-01-02 08:00:00", MQL, "", "", "")],
        {},
    ),
    "Mautic report": (
        (
            "Contact ID,Date Added,Points,Owner ID,MQL Date\n"
            "7,2026-01-02 08:00:00,5,2,2026-01-05 10:00:00\nTotals,,5,,\n"
        ),
        {"timezone": "UTC"},
        [("7", "2026-01-02 08:00:00", MQL, "", "2", "")],
        {"total_row": 1},
    ),
    # A grouped list has a heading for each group.
    "Odoo in German": (
        (
            '"ID","Verkaufschance","Erstellt am","Vertriebsmitarbeiter","Herkunft","MQL Date"\n'
            '"","Web (1)","","","",""\n'
            '"7","Acme","2026-01-02 10:00:00","Hall","Web","2026-01-05 12:00:00"\n'
        ),
        {"timezone": "Europe/Tallinn"},
        [("7", "2026-01-02 08:00:00", MQL, "", "Hall", "Web")],
        {"not_data": 1},
    ),
    # Each row ends in a semicolon.
    "Bitrix24 in German": (
        (
            '"ID";"Leadname";"Erstellt am";"Verantwortlich";"Quelle";"MQL-Datum";\n'
            '"7";"Acme";"30.01.2026 10:00:00";"Hall";"Messe";"31.01.2026 10:00:00";\n'
        ),
        {"timezone": "Europe/Tallinn"},
        [("7", "2026-01-30 08:00:00", "2026-01-31 08:00:00", "", "Hall", "Messe")],
        {},
    ),
    # The names of board and groups, the header of each group, and subitems below their item, here
    # with as many columns as an item; the last row sums up the group.
    "monday.com": (
        (
            "Leads board,,,,,\nNew,,,,,\n"
            "Name,Subitems,Owner,Created at,MQL date,Item ID (auto generated)\n"
            'Acme,Call,Hall,"Jan 2, 2026 8:00 AM",2026-01-15,501\n'
            "Subitems,Name,Owner,Date,Until,Item ID (auto generated)\n"
            ",Call,Moor,2026-01-03,2026-01-04,701\n,,,2026-01-02 to 2026-01-15,,\n"
            "Old,,,,,\nName,Subitems,Owner,Created at,MQL date,Item ID (auto generated)\n"
            'Bolt,,Moor,"Jan 3, 2026 8:00 AM",,502\n'
        ),
        {"timezone": "UTC"},
        [
            ("501", "2026-01-02 08:00:00", "2026-01-15 00:00:00", "", "Hall", ""),
            ("502", "2026-01-03 08:00:00", "", "", "Moor", ""),
        ],
        {"not_data": 6, "repeated_header": 1},
    ),
    "Copper": (
        (
            "Copper ID,Name,Owned By,Source,Status,Created At,MQL Date cf_12\n"
            "9,Acme,Hall,Web,New,1/13/2026,1/15/2026\n"
        ),
        {},
        [("9", "2026-01-13 00:00:00", "2026-01-15 00:00:00", "", "Hall", "Web")],
        {},
    ),
    "Twenty": (
        (
            "Id,Name,Amount / Amount,Company Id,Owner Id,Creation date,MQL date\n"
            "9f,Acme,100,c1,u1,2026-01-02T08:00:00.000Z,2026-01-05T10:00:00.000Z\n"
        ),
        {},
        [("9f", "2026-01-02 08:00:00", MQL, "", "u1", "")],
        {},
    ),
    "SuiteCRM in French": (
        (
            '"ID";"Date de création :";"Origine du prospect :";"Assigné à";"MQL Date"\r\n'
            '"a-1";"30/01/2026 10:00";"Salon";"hall";"31/01/2026 10:00"\r\n'
        ),
        {"timezone": "Europe/Tallinn"},
        [("a-1", "2026-01-30 08:00:00", "2026-01-31 08:00:00", "", "hall", "Salon")],
        {},
    ),
    "Salesforce report in French": (
        (
            '"ID de piste","Propriétaire de la piste","Origine de la piste","Date de création",'
            '"MQL Date"\n"00Q1","Hall","Web","13/01/2026","15/01/2026"\n'
            '\n"Total général (1 enregistrement)"\n'
            '"Informations confidentielles - Ne pas diffuser"\n'
        ),
        {},
        [("00Q1", "2026-01-13 00:00:00", "2026-01-15 00:00:00", "", "Hall", "Web")],
        {"blank": 1, "not_data": 1, "total_row": 1},
    ),
}
HISTORY = {
    "LeadHistory": (
        (
            "Id,LeadId,Field,OldValue,NewValue,CreatedDate\n"
            "h1,00Q1,Status,New,Marketing Qualified,2026-01-05T10:00:00.000Z\n"
            "h2,00Q1,LeadSource,Web,SQL,2026-01-06T10:00:00.000Z\n"
        ),  # a field that says nothing
        {},
        [("00Q1", MQL, "mql")],
    ),
    "Lead history report": (
        (
            "Lead ID,Field / Event,Old Value,New Value,Edit Date,Edited By\n"
            "00Q1,Lead Status,New,MQL,1/15/2026 10:00 AM,Hall\n"
            "00Q1,Lead Owner,Moor,MQL,1/14/2026 10:00 AM,Hall\n"
        ),
        {"timezone": "UTC"},
        [("00Q1", "2026-01-15 10:00:00", "mql")],
    ),
    "Marketo activities": (
        (
            "marketoGUID,leadId,activityDate,activityTypeId,campaignId,primaryAttributeValueId,"
            "primaryAttributeValue,attributes\n"
            '1,9,2026-01-05T10:00:00Z,101,null,2,Model,"{""New Stage"":""MQL""}"\n'
            '2,9,2026-01-06T10:00:00Z,13,null,3,Lead Status,"{""New Value"":""Recycled""}"\n'
            '3,9,2026-01-04T10:00:00Z,13,null,4,City,"{""New Value"":""MQL""}"\n'
            '4,9,2026-01-03T10:00:00Z,1,null,5,page,"{""New Stage"":""MQL""}"\n'
        ),
        {},
        [("9", MQL, "mql"), ("9", "2026-01-06 10:00:00", "rejected")],
    ),
    "Lifecycle history": (
        (
            "id,prospectId,previousStageId,nextStageId,secondsElapsed,createdAt\n"
            "1,5,100,101,60,2026-01-05T10:00:00Z\n"
        ),
        {"stages": {"mql": ["101"]}},
        [("5", MQL, "mql")],
    ),
    "leads_audit": (
        (
            "id,parent_id,date_created,field_name,before_value_string,after_value_string\n"
            "1,a-1,2026-01-05 10:00:00,status,New,MQL\n2,a-1,2026-01-04 10:00:00,title,x,MQL\n"
        ),
        {"timezone": "UTC"},
        [("a-1", MQL, "mql")],
    ),
    "HubSpot property history": (
        (
            "contact_id,timestamp,source,name,value\n"
            "77,2026-01-05 10:00:00,CRM_UI,lifecyclestage,marketingqualifiedlead\n"
            "77,2026-01-04 10:00:00,CRM_UI,company,customer\n"
        ),
        {"timezone": "UTC"},
        [("77", MQL, "mql")],
    ),
}
DAY = "2026-01-15"
SPEND = {
    "Google Ads": (
        (
            "Campaign report\n1 January 2026 - 31 January 2026\n"
            "Day,Campaign,Currency code,Avg. cost,Cost\n"
            '2026-01-15,Spring,EUR,1.00,"1,020.50"\n'
            'Total: Account,--,--,1.00,"1,020.50"\nTotal: Campaigns,--,--,1.00,"1,020.50"\n'
        ),
        {},
        [(DAY, DAY, "Spring", "1020.5")],
        {"not_data": 2, "total_row": 2},
    ),
    "Google Ads in French": (
        (
            "Jour;Campagne;Code de la devise;Coût\n"
            "2026-01-15;Printemps;EUR;1 020,50\nTotal : compte;--;EUR;1 020,50\n"
        ),
        {},
        [(DAY, DAY, "Printemps", "1020.5")],
        {"total_row": 1},
    ),
    "LinkedIn": (
        (
            "Campaign Performance Report (in UTC)\nReport Start: 1/1/2026\n\n"
            "Start Date (in UTC),Account Name,Campaign Name,Currency,Total Spent\n"
            "1/5/2026,Acme,Brand,USD,12.50\nTotal,,,USD,12.50\n"
        ),
        {},
        [("2026-01-05", "2026-01-05", "Brand", "12.5")],
        {"blank": 1, "not_data": 2, "total_row": 1},
    ),
    "Meta by period": (
        (
            "Reporting starts,Reporting ends,Campaign name,Amount spent (USD)\n"
            "2026-01-01,2026-01-31,Brand,310\n"
        ),
        {},
        [("2026-01-01", "2026-01-31", "Brand", "310.0")],
        {},
    ),
    "Meta by day": (
        (
            "Reporting starts,Reporting ends,Campaign name,Day,Amount spent (USD)\n"
            "2026-01-01,2026-01-31,Brand,2026-01-15,10\n"
        ),
        {},
        [(DAY, DAY, "Brand", "10.0")],
        {},
    ),
    "Microsoft": (
        (
            '"Report Name: Campaigns"\n"Gregorian date","Campaign name","Spend","Currency code"\n'
            '"1/15/2026","Brand","10.00","USD"\n'
            '"©2026 Microsoft Corporation. All rights reserved. "\n'
        ),
        {},
        [(DAY, DAY, "Brand", "10.0")],
        {"not_data": 2},
    ),
    "TikTok": (
        (
            "By Day,Campaign name,Cost,Impressions,Clicks (destination),Currency\n"
            "2026-01-15,Brand,10.00,100,2,USD\nTotal of 1 result,-,10.00,100,2,USD\n"
        ),
        {},
        [(DAY, DAY, "Brand", "10.0")],
        {"total_row": 1},
    ),
    "Amazon by day": (
        (
            "Sponsored Products Campaign Report,,,,,\n"
            "Date,Portfolio name,Currency,Campaign Name,Click-Thru Rate (CTR),Spend\n"
            '"Jan 15, 2026",No Portfolio,USD,Brand,1.0%,$10.00\n'
        ),
        {},
        [(DAY, DAY, "Brand", "10.0")],
        {"not_data": 1},
    ),
    "Amazon by period": (
        (
            "Start Date,End Date,Portfolio name,Campaign Name,Currency,Spend,Last Year Spend\n"
            '"Jan 1, 2026","Jan 31, 2026",-,Brand,USD,$310.00,$1.00\n'
        ),
        {},
        [("2026-01-01", "2026-01-31", "Brand", "310.0")],
        {},
    ),
    # The period and the currency are above the table; the campaign's own dates are not read, and
    # the row of totals has no campaign.
    "Apple": (
        (
            '"Start Date: 02 Feb 2026"\n"End Date: 08 Feb 2026"\nCurrency: AUD\nTime Zone: UTC\n'
            '""\n\nCampaign ID,Campaign Name,Start Date,End Date,Spend,Taps,TTR\n'
            '"21","Brand","05 Feb 2026","N/A","20.65","3","0.01"\n'
            '"22","Other","06 Feb 2026","N/A","46.25","11","0.08"\n'
            '"","","N/A","N/A","66.90","14","0.03"\n'
        ),
        {},
        [
            ("2026-02-02", "2026-02-08", "Brand", "20.65"),
            ("2026-02-02", "2026-02-08", "Other", "46.25"),
        ],
        {"blank": 2, "not_data": 5},
    ),
    # In English a LinkedIn date has its month first.
    "LinkedIn in German": (
        (
            "Bericht zur Performance\nStartdatum des Berichts: 1.1.2026\n\n"
            "Startdatum (in UTC)\tName der Kampagne\tGesamtausgaben\n"
            "5.1.2026\tBrand\t1.330,51\n15.1.2026\tBrand\t12,50\n"
        ),
        {"currency": "EUR"},
        [("2026-01-05", "2026-01-05", "Brand", "1330.51"), (DAY, DAY, "Brand", "12.5")],
        {"blank": 1, "not_data": 2},
    ),
    "Meta in Dutch": (
        (
            "Campagnenaam,Bereik,Besteed bedrag (EUR),Start rapportage,Einde rapportage\n"
            "Brand,10,310,2026-01-01,2026-01-31\n"
        ),
        {},
        [("2026-01-01", "2026-01-31", "Brand", "310.0")],
        {},
    ),
    "Xero": (
        (
            "Account Transactions\nAcme Ltd\nFor the period 1 January 2026 to 28 February 2026\n\n"
            "Date,Source,Description,Reference,Debit,Credit,Running Balance,Gross,Tax\n"
            "400 - Advertising\n"
            "Opening Balance,,,,,,0.00,,\n"
            '15 Jan 2026,Payable Invoice,Ads,1,"1,000.00",,"1,000.00","1,000.00",0.00\n'
            "15 Jan 2026,Payable Credit Note,Refund,2,,200.00,800.00,(200.00),0.00\n"
            'Total Advertising,,,,"1,000.00",200.00,800.00,800.00,0.00\n'
            "Closing Balance,,,,800.00,,,,\n"
            'Total,,,,"1,000.00",200.00,,,0.00\n'
        ),
        {"currency": "EUR"},
        [(DAY, DAY, "nan", "800.0")],
        {"blank": 1, "not_data": 6, "total_row": 2},
    ),
    "QuickBooks": (
        (
            "Acme Ltd\nTransaction Detail by Account\nJanuary 2026\n"
            ",Date,Transaction Type,Num,Name,Class,Amount,Balance\n"
            "Advertising,,,,,,,\n"
            ",01/15/2026,Expense,1,Printer,Events,100.00,100.00\n"
            ",01/15/2026,Bill,2,Agency,Web,50.00,150.00\n"
            "Total for Advertising,,,,,,150.00,\nTOTAL,,,,,,150.00,\n"
        ),
        {"currency": "USD"},
        [(DAY, DAY, "Events", "100.0"), (DAY, DAY, "Web", "50.0")],
        {"not_data": 4, "total_row": 2},
    ),
    "QuickBooks budget by account": (
        "Acme Ltd\n,Jan 2026,Feb 2026,Total\nAdvertising,100.00,,100.00\nTotal,100.00,,100.00\n",
        {"currency": "USD"},
        [("2026-01-01", "2026-01-31", "Advertising", "100.0")],
        {"not_data": 1, "total_row": 1},
    ),
    "QuickBooks budget": (
        "Class,Jan 2026,Feb 2026,Total\nWeb,100.00,200.00,300.00\nTotal Web,100.00,200.00,300.00\n",
        {"currency": "USD"},
        [
            ("2026-01-01", "2026-01-31", "Web", "100.0"),
            ("2026-02-01", "2026-02-28", "Web", "200.0"),
        ],
        {"total_row": 1},
    ),
}


@pytest.mark.parametrize("case", LEADS)
def test_leads_are_read_as_they_were_exported(desk, case):
    content, block, expected, reasons = LEADS[case]
    rows, aside, _ = read(desk, "leads", content, **block)
    assert rows == expected
    assert aside == reasons


@pytest.mark.parametrize("case", HISTORY)
def test_only_changes_of_the_stage_are_stage_events(desk, case):
    content, block, expected = HISTORY[case]
    rows, aside, _ = read(desk, "history", content, **block)
    assert [row for row in rows if row[2]] == expected
    assert aside == {}


@pytest.mark.parametrize("case", SPEND)
def test_spend_is_read_as_it_was_exported(desk, case):
    content, block, expected, reasons = SPEND[case]
    rows, aside, _ = read(desk, "spend", content, **block)
    assert rows == expected
    assert aside == reasons


def test_a_format_whose_zone_nobody_can_tell_asks_for_it(desk):
    with pytest.raises(Undecided) as error:
        read(desk, "leads", LEADS["HubSpot"][0])
    assert [q.answers for q in error.value.questions] == [("timezone: Europe/Tallinn",)]


@pytest.mark.parametrize(
    "case", ["Data Loader", "Salesforce report", "Marketo", "Close", "Freshsales", "ActiveCampaign"]
)
def test_no_zone_is_asked_for_where_none_is_needed(desk, case):
    # Stamps with an offset, dates without a time, and a vendor that always writes UTC.
    rows, _, _ = read(desk, "leads", LEADS[case][0])
    assert rows == LEADS[case][2]


TITLED = """Campaign report
"January 1, 2026 - February 28, 2026"
Campaign status,Campaign,Currency code,Avg. cost,Cost
Enabled,Search,EUR,1.00,580.50
Enabled,Display,EUR,1.00,"1,100.00"
Total: Campaigns, --,EUR,1.00,"1,680.50"
"""


def test_a_report_without_any_date_is_dated_by_the_period_in_its_title(desk):
    rows, aside, tables = read(desk, "spend", TITLED)
    assert rows == [
        ("2026-01-01", "2026-02-28", "Display", "1100.0"),
        ("2026-01-01", "2026-02-28", "Search", "580.5"),
    ]
    assert aside == {"not_data": 2, "total_row": 1}
    assert tables.ledgers["spend"].noted["dated_by_title"] == 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("Campaign,Currency code,Cost\nSpring,EUR,10.00\n", id="no title"),
        pytest.param(TITLED.replace(" - February 28, 2026", ""), id="one date in the title"),
        # Each amount belongs to its own year, not to the whole period.
        pytest.param(TITLED.replace("Campaign status", "Year"), id="rows of years"),
    ],
)
def test_a_report_without_any_date_is_refused(desk, content):
    with pytest.raises(SourceError) as caught:
        read(desk, "spend", content)
    message = str(caught.value)
    assert "has no date" in message
    # There is no column to map; the remedy is another download.
    assert message.endswith("  Fix:      download it again with the segment Time > Day")


def test_a_currency_that_no_column_tells_is_asked_for(desk):
    with pytest.raises(SourceError, match="no column tells the currency"):
        read(desk, "spend", "Day,Campaign,Cost\n2026-01-15,Spring,10.00\n")


def test_the_zone_is_asked_for_together_with_the_columns_that_are_missing(desk):
    # A German export of Pipedrive without its column ID, and without a date of the MQL stage.
    content = "Lead - Titel,Lead - Besitzer,Lead - Lead erstellt\nAcme,Hall,2026-01-05 10:00:00\n"
    with pytest.raises(Undecided, match="2 of the 2 columns needed are missing") as caught:
        read(desk, "leads", content)
    assert [q.answers for q in caught.value.questions] == [("timezone: Europe/Tallinn",)]


def test_each_file_has_the_currency_of_its_own_title(desk):
    table = "Campaign ID,Campaign Name,Spend,Taps,TTR\n21,Brand,{},3,0.01\n"
    for number, currency in enumerate(("AUD", "EUR"), start=1):
        title = (
            f"Start Date: 0{number} Feb 2026\nEnd Date: 0{number} Feb 2026\nCurrency: {currency}\n"
        )
        desk.write(f"{number}.csv", title + table.format(number))
    desk.write("leads.csv", "lead_id,mql_at\n1,2026-01-01\n")
    with pytest.raises(SourceError, match="in more than one currency"):
        desk.read({"leads": {"files": ["leads.csv"]}, "spend": {"files": ["1.csv", "2.csv"]}})


def test_a_board_is_read_row_by_row_whatever_its_size(desk, monkeypatch):
    # A large plain table is read in one scan, which cannot tell subitems from items.
    content, block, expected, reasons = LEADS["monday.com"]
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", 1)
    rows, aside, _ = read(desk, "leads", content, **block)
    assert (rows, aside) == (expected, reasons)


@pytest.mark.parametrize(
    ("content", "block", "asked"),
    [
        # A German export of LinkedIn without its column of the currency.
        pytest.param("10,00", {}, ["decimal", "decimal", "currency"], id="bare"),
        pytest.param("10,00", {"currency": "EUR"}, ["decimal", "decimal"], id="in source.yaml"),
        pytest.param("10,00 €", {}, ["decimal", "decimal"], id="with its sign"),
    ],
)
def test_the_currency_is_asked_for_together_with_the_decimal_sign(desk, content, block, asked):
    export = f"Startdatum (in UTC)\tName der Kampagne\tGesamtausgaben\n5.1.2026\tBrand\t{content}\n"
    with pytest.raises(Undecided) as caught:
        read(desk, "spend", export, dates="dmy", **block)
    answers = [answer for question in caught.value.questions for answer in question.answers]
    assert [answer.partition(":")[0] for answer in answers] == asked
