"""Export formats: told by their headers, whatever case, quotes and language these are in."""

import csv
import re
from io import StringIO

import pytest

from mqlkit.core.errors import SourceError
from mqlkit.core.names import STAGES, TABLE_COLUMNS
from mqlkit.sources.format_words import refused
from mqlkit.sources.formats import (
    FOLDER,
    Format,
    check_format,
    fold,
    formats,
    known_headers,
    looks_like_header,
    matches,
    pattern_of,
    read_format,
    recognize,
)
from mqlkit.sources.spec import TABLES
from mqlkit.sources.totals import is_label

VENDORS = [f for f in formats().values() if f.name != "plain"]

# The header of an export in each format and shape, and what its columns are.
EXPORTS = {
    "salesforce": [
        (
            "Id,CreatedDate,Status,LeadSource,Company,OwnerId,MQL_Date__c,SQL_Date__c",
            {"lead_id": "Id", "created_at": "CreatedDate", "mql_at": "MQL_Date__c",
             "sql_at": "SQL_Date__c", "owner": "OwnerId", "source": "LeadSource"},
        ),
        (
            "ID,CREATEDDATE,LEADSOURCE,ISCONVERTED,BECAME_A_MQL_DATE__C",
            {"lead_id": "ID", "created_at": "CREATEDDATE", "source": "LEADSOURCE",
             "mql_at": "BECAME_A_MQL_DATE__C"},
        ),
        (
            '"Lead ID","Lead Owner","Lead Source","Create Date","MQL Date","Disqualified Reason"',
            {"lead_id": "Lead ID", "owner": "Lead Owner", "source": "Lead Source",
             "created_at": "Create Date", "mql_at": "MQL Date",
             "rejection_reason": "Disqualified Reason"},
        ),
    ],
    "salesforce-history": [
        (
            "Id,LeadId,Field,OldValue,NewValue,CreatedDate",
            {"lead_id": "LeadId", "at": "CreatedDate", "stage": "NewValue"},
        ),
        (
            "Lead ID,Field / Event,Old Value,New Value,Edit Date,Edited By",
            {"lead_id": "Lead ID", "at": "Edit Date", "stage": "New Value"},
        ),
    ],
    "hubspot": [
        (
            ("hs_object_id,createdate,hs_lifecyclestage_marketingqualifiedlead_date,"
            "hs_lifecyclestage_salesqualifiedlead_date,hubspot_owner_id,hs_analytics_source"),
            {"lead_id": "hs_object_id", "created_at": "createdate",
             "mql_at": "hs_lifecyclestage_marketingqualifiedlead_date",
             "sql_at": "hs_lifecyclestage_salesqualifiedlead_date",
             "owner": "hubspot_owner_id", "source": "hs_analytics_source"},
        ),
        (
            ("Record ID,Create Date,Became a Marketing Qualified Lead Date,"
            "Became a Sales Qualified Lead Date,Contact owner,Original Source"),
            {"lead_id": "Record ID", "created_at": "Create Date",
             "mql_at": "Became a Marketing Qualified Lead Date",
             "sql_at": "Became a Sales Qualified Lead Date",
             "owner": "Contact owner", "source": "Original Source"},
        ),
        (
            '"Record ID","Date entered ""Marketing Qualified Lead (Lifecycle Stage Pipeline)"""',
            {"lead_id": "Record ID",
             "mql_at": 'Date entered "Marketing Qualified Lead (Lifecycle Stage Pipeline)"'},
        ),
        (
            ("Record ID,Date entered “Sales Qualified Lead (Lifecycle Stage Pipeline)”,"
            "Date entered 'Marketing Qualified Lead (Lifecycle Stage Pipeline)'"),
            {"lead_id": "Record ID",
             "mql_at": "Date entered 'Marketing Qualified Lead (Lifecycle Stage Pipeline)'",
             "sql_at": "Date entered “Sales Qualified Lead (Lifecycle Stage Pipeline)”"},
        ),
        (
            "レコードID,作成日,MQL(マーケティング上の有望な見込み客)になった日付,コンタクト担当者",
            {"lead_id": "レコードID", "created_at": "作成日", "owner": "コンタクト担当者",
             "mql_at": "MQL(マーケティング上の有望な見込み客)になった日付"},
        ),
        ("id,property_email,property_createdate",
         {"lead_id": "id", "created_at": "property_createdate"}),
    ],
    "hubspot-history": [
        ("contact_id,timestamp,source,name,value",
         {"lead_id": "contact_id", "at": "timestamp", "stage": "value"}),
    ],
    "marketo": [
        (
            "id,email,createdAt,leadStatus,leadSource,leadScore,mqlDate",
            {"lead_id": "id", "created_at": "createdAt", "source": "leadSource",
             "mql_at": "mqlDate"},
        ),
    ],
    "marketo-activities": [
        (
            ("marketoGUID,leadId,activityDate,activityTypeId,campaignId,primaryAttributeValueId,"
            "primaryAttributeValue,attributes"),
            {"lead_id": "leadId", "at": "activityDate"},
        ),
        (
            "activity_date,activity_type_id,campaign_id,id,lead_id,new_value,old_value",
            {"lead_id": "lead_id", "at": "activity_date", "stage": "new_value"},
        ),
    ],
    "pardot": [
        (
            "id,email,created_at,assigned_to,source,campaign_id,crm_lead_fid",
            {"lead_id": "id", "created_at": "created_at", "owner": "assigned_to",
             "source": "source", "campaign": "campaign_id"},
        ),
        (
            "id,email,createdAt,salesforceId,source",
            {"lead_id": "id", "created_at": "createdAt", "source": "source"},
        ),
    ],
    "pardot-history": [
        (
            "id,prospectId,previousStageId,nextStageId,secondsElapsed,createdAt",
            {"lead_id": "prospectId", "at": "createdAt", "stage": "nextStageId"},
        ),
    ],
    "dynamics365": [
        (
            ("(Do Not Modify) Lead,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Topic,"
            "Status Reason,Created On,Owner,Lead Source,Source Campaign,MQL Date"),
            {"lead_id": "(Do Not Modify) Lead", "created_at": "Created On", "owner": "Owner",
             "source": "Lead Source", "campaign": "Source Campaign", "mql_at": "MQL Date"},
        ),
        (
            "(Do Not Modify) Lead,Leads_Created On,Leads_Owner,Leads_MQL Date",
            {"lead_id": "(Do Not Modify) Lead", "created_at": "Leads_Created On",
             "owner": "Leads_Owner", "mql_at": "Leads_MQL Date"},
        ),
        (
            "leadid,createdon,statecode,new_mqldate",
            {"lead_id": "leadid", "created_at": "createdon", "mql_at": "new_mqldate"},
        ),
    ],
    "sugarcrm": [
        (
            "id,date_entered,status,lead_source,assigned_user_name,mql_date_c",
            {"lead_id": "id", "created_at": "date_entered", "source": "lead_source",
             "owner": "assigned_user_name", "mql_at": "mql_date_c"},
        ),
        (
            '"ID","Date Created","Status","Lead Source","Assigned to"',
            {"lead_id": "ID", "created_at": "Date Created", "source": "Lead Source",
             "owner": "Assigned to"},
        ),
    ],
    "sugarcrm-audit": [
        (
            ("id,parent_id,date_created,created_by,field_name,data_type,before_value_string,"
            "after_value_string"),
            {"lead_id": "parent_id", "at": "date_created", "stage": "after_value_string"},
        ),
    ],
    "zoho": [
        (
            "Record Id,Lead Owner,Lead Source,Lead Status,Created Time,MQL Date",
            {"lead_id": "Record Id", "owner": "Lead Owner", "source": "Lead Source",
             "created_at": "Created Time", "mql_at": "MQL Date"},
        ),
        (
            "Lead Id,Lead_Owner,Lead_Source,Created_Time",
            {"lead_id": "Lead Id", "owner": "Lead_Owner", "source": "Lead_Source",
             "created_at": "Created_Time"},
        ),
    ],
    "pipedrive": [
        (
            "Lead - ID,Lead - Title,Lead - Owner,Lead - Lead created on,Lead - Update time",
            {"lead_id": "Lead - ID", "owner": "Lead - Owner",
             "created_at": "Lead - Lead created on"},
        ),
    ],
    "google-ads": [
        (
            "Day,Campaign,Campaign ID,Currency code,Avg. cost,Cost,Cost / conv.",
            {"date": "Day", "campaign": "Campaign", "currency": "Currency code", "amount": "Cost"},
        ),
        (
            "Campaign,Currency code,Cost",  # no date: recognized, and refused when it is read
            {"campaign": "Campaign", "currency": "Currency code", "amount": "Cost"},
        ),
    ],
    "linkedin-ads": [
        (
            ("Start Date (in UTC),Account Name,Campaign Group Name,Campaign Name,Currency,"
            "Total Spent"),
            {"date": "Start Date (in UTC)", "campaign": "Campaign Name", "currency": "Currency",
             "amount": "Total Spent"},
        ),
    ],
    "meta-ads": [
        (
            "Reporting starts,Reporting ends,Campaign name,Amount spent (USD)",
            {"date_from": "Reporting starts", "date_to": "Reporting ends",
             "campaign": "Campaign name", "amount": "Amount spent (USD)"},
        ),
        (
            "Reporting starts,Reporting ends,Campaign name,Day,Amount spent (USD)",
            {"date": "Day", "campaign": "Campaign name", "amount": "Amount spent (USD)"},
        ),
        (
            "Jour,Nom de la campagne,Montant dépensé (EUR)",
            {"date": "Jour", "campaign": "Nom de la campagne", "amount": "Montant dépensé (EUR)"},
        ),
    ],
    "microsoft-ads": [
        (
            "Gregorian date,Campaign name,Campaign ID,Impressions,Spend,Currency code",
            {"date": "Gregorian date", "campaign": "Campaign name", "amount": "Spend",
             "currency": "Currency code"},
        ),
    ],
    "quickbooks": [
        (
            ",Date,Transaction Type,Num,Name,Memo/Description,Account,Class,Amount,Balance",
            {"date": "Date", "amount": "Amount", "channel": "Class"},
        ),
    ],
    "xero": [
        (
            "Date,Source,Description,Reference,Debit,Credit,Running Balance,Gross,Tax",
            {"date": "Date", "amount": "Gross"},
        ),
        (
            "Date,Account,Source,Description,Debit,Credit,Running Balance,Net",
            {"date": "Date", "amount": "Net", "channel": "Account"},
        ),
    ],
    "quickbooks-budget": [("Class,Jan 2026,Feb 2026,Mar 2026,Total", {"channel": "Class"})],
    "close": [
        (
            ("id,display_name,description,status_label,primary_contact_name,date_created,"
            "date_updated,custom.Lead Owner,custom.Lead Owner.name,custom.Lead Source,"
            "custom.MQL Date"),
            {"lead_id": "id", "created_at": "date_created", "owner": "custom.Lead Owner.name",
             "source": "custom.Lead Source", "mql_at": "custom.MQL Date"},
        ),
        ("id,lead_name,status_label,primary_contact_primary_email,date_created",
         {"lead_id": "id", "created_at": "date_created"}),
    ],
    "freshsales": [
        (
            ("Id,First name,Last name,Emails,Sales owner,Lifecycle stage,Status,Original source,"
            "Most recent source,Created at,Updated at,MQL date"),
            {"lead_id": "Id", "owner": "Sales owner", "source": "Original source",
             "created_at": "Created at", "mql_at": "MQL date"},
        ),
        (
            "id,email,created_at,owner_id,lead_source_id,lead_stage_id",
            {"lead_id": "id", "created_at": "created_at", "owner": "owner_id",
             "source": "lead_source_id"},
        ),
    ],
    "activecampaign": [
        ("id,email,phone,firstName,lastName,cdate,udate,orgid,orgname,MQL Date",
         {"lead_id": "id", "created_at": "cdate", "mql_at": "MQL Date"}),
    ],
    "mautic": [
        (
            ("id,title,firstname,lastname,company,email,points,preferred_locale,last_active,stage,"
            "mql_date"),
            {"lead_id": "id", "mql_at": "mql_date"},
        ),
        (
            "Contact ID,Date Added,Date identified,Points,Owner ID,Stage Name,Stage Date Added",
            {"lead_id": "Contact ID", "created_at": "Date Added", "owner": "Owner ID"},
        ),
    ],
    "odoo": [
        (
            "id,name,create_date,user_id/name,source_id,stage_id,x_studio_mql_date",
            {"lead_id": "id", "created_at": "create_date", "owner": "user_id/name",
             "source": "source_id", "mql_at": "x_studio_mql_date"},
        ),
        (
            "External ID,Opportunity,Created on,Salesperson,Source,Stage,Conversion Date,MQL Date",
            {"lead_id": "External ID", "created_at": "Created on", "owner": "Salesperson",
             "source": "Source", "mql_at": "MQL Date"},
        ),
    ],
    "bitrix24": [
        (
            "ID,Lead Name,Status,Created,Responsible,Source,Company Name,MQL date",
            {"lead_id": "ID", "created_at": "Created", "owner": "Responsible", "source": "Source",
             "mql_at": "MQL date"},
        ),
        (
            "ID,TITLE,STATUS_ID,SOURCE_ID,ASSIGNED_BY_ID,DATE_CREATE,DATE_MODIFY,UF_CRM_MQL_DATE",
            {"lead_id": "ID", "created_at": "DATE_CREATE", "owner": "ASSIGNED_BY_ID",
             "source": "SOURCE_ID", "mql_at": "UF_CRM_MQL_DATE"},
        ),
    ],
    "monday": [
        (
            "Name,Subitems,Owner,Status,Source,Created at,MQL date,Item ID (auto generated)",
            {"lead_id": "Item ID (auto generated)", "owner": "Owner", "source": "Source",
             "created_at": "Created at", "mql_at": "MQL date"},
        ),
    ],
    "copper": [
        (
            "First Name,Last Name,Company,Owned By,Source,Lead Status,Converted At,Created At",
            {"owner": "Owned By", "source": "Source", "created_at": "Created At"},
        ),
        (
            ("Copper ID,Copper URL,Name,Owned By,Owner Id,Status,Created At,Last Status At,"
            "MQL Date cf_123456"),
            {"lead_id": "Copper ID", "owner": "Owned By", "created_at": "Created At",
             "mql_at": "MQL Date cf_123456"},
        ),
    ],
    "twenty": [
        (
            ("Id,Name,Amount / Amount,Amount / Currency,Close date,Stage,Company Id,"
            "Created by / Source,Owner Id,Creation date,Last update,MQL date"),
            {"lead_id": "Id", "owner": "Owner Id", "created_at": "Creation date",
             "mql_at": "MQL date"},
        ),
        (
            "Id,Name / First Name,Emails / Primary Email,Creation date,Lead source",
            {"lead_id": "Id", "created_at": "Creation date", "source": "Lead source"},
        ),
    ],
    "tiktok-ads": [
        (
            "By Day,Campaign name,Ad group name,Cost,Impressions,Clicks (destination),CPC,Currency",
            {"date": "By Day", "campaign": "Campaign name", "amount": "Cost",
             "currency": "Currency"},
        ),
        ("stat_time_day,campaign_id,spend,impressions",
         {"date": "stat_time_day", "campaign": "campaign_id", "amount": "spend"}),
    ],
    "amazon-ads": [
        (
            ("Date,Portfolio name,Currency,Campaign Name,Impressions,Clicks,"
            "Click-Thru Rate (CTR),Cost Per Click (CPC),Spend,7 Day Total Sales "),
            {"date": "Date", "currency": "Currency", "campaign": "Campaign Name",
             "amount": "Spend"},
        ),
        (
            ("Start Date,End Date,Portfolio name,Program Type,Campaign Name,Status,Currency,"
            "Budget Amount,Click-Thru Rate (CTR),Spend,Last Year Spend"),
            {"date_from": "Start Date", "date_to": "End Date", "currency": "Currency",
             "campaign": "Campaign Name", "amount": "Spend"},
        ),
        ("date,campaignName,campaignId,cost,campaignBudgetCurrencyCode",
         {"date": "date", "campaign": "campaignName", "amount": "cost",
          "currency": "campaignBudgetCurrencyCode"}),
    ],
    "apple-search-ads": [
        (
            ("Campaign ID,Campaign Name,Start Date,End Date,Status,App Name,Daily Budget,Spend,"
            "Avg CPA (Total),Average CPT,Impressions,Taps,TTR"),
            {"campaign": "Campaign Name", "amount": "Spend"},
        ),
        (
            "Date,Campaign ID,Campaign Name,Spend,Impressions,Taps,TTR",
            {"date": "Date", "campaign": "Campaign Name", "amount": "Spend"},
        ),
    ],
}  # fmt: skip
CASES = [(name, *case) for name, cases in EXPORTS.items() for case in cases]

# One header for each regex, so that none is without a test.
PATTERN_EXAMPLES = {
    "mql_at": ["Date entered Marketing Qualified Lead", "Leads_MQL Date", "new_mqldate",
               "Datum der Konversion zum Marketing-Qualified-Lead", "cr1_mql_on",
               "MQL Date cf_123456", "Date de conversion en lead marketing qualifié",
               "MQL(見込み客)になった日付"],
    "sql_at": ["Date entered Sales Qualified Lead", "Leads_SQL Date", "new_sqldate",
               "Datum der Konversion zum Sales-Qualified-Lead",
               "Date de conversion en lead commercial qualifié", "SQL(案件)になった日付",
               "SQL Date cf_123457"],
    "accepted_at": ["new_saldate", "Leads_SAL Date", "SAL Date cf_123458"],
    "rejected_at": ["Leads_Disqualified On", "Rejected Date cf_123459"],
    "rejection_reason": ["Rejection Reason cf_123460"],
    "won_at": ["Datum der Konversion zum Kunden", "Date de conversion en client",
               'Date entered "Customer (Lifecycle Stage Pipeline)"'],
    "created_at": ["Leads_Created On"],
    "owner": ["Leads_Owner", "user_id/name"],
    "source": ["Leads_Lead Source", "source_id/id"],
    "campaign": ["Leads_Source Campaign", "campaign_id/.id"],
    "amount": ["Amount spent (USD)", "Montant dépensé (EUR)", "Importe gastado (MXN)",
               "Ausgegebener Betrag (CHF)", "Importo speso (EUR)", "Valor usado (BRL)",
               "Besteed bedrag (EUR)", "消化金額 (JPY)"],
}  # fmt: skip


def headers_of(text: str) -> list[str]:
    return next(csv.reader(StringIO(text)))


@pytest.mark.parametrize(("name", "header", "expected"), CASES)
def test_a_header_is_recognized_and_its_columns_found(name, header, expected):
    found = recognize(headers_of(header), table=formats()[name].table)
    assert found.format.name == name
    assert found.columns == expected


def test_every_format_has_an_export_that_is_recognized():
    assert set(EXPORTS) == {f.name for f in VENDORS}


@pytest.mark.parametrize(("name", "header", "_"), CASES)
def test_a_format_is_found_in_capitals_with_spaces_and_a_mark(name, header, _):
    shouted = ["\ufeff " + h.upper().replace(" ", "\u00a0 ") for h in headers_of(header)]
    assert recognize(shouted, table=formats()[name].table).format.name == name


@pytest.mark.parametrize(("name", "header", "_"), CASES)
def test_the_header_is_told_from_a_preamble(name, header, _):
    assert looks_like_header(headers_of(header), table=formats()[name].table)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "line",
    [["Campaign report"], ["1 September 2026 - 3 September 2026"], ["Report Start:", "9/1/2026"],
     ["", "", ""], ["Acme Ltd"], ["Transaction Detail by Account"], ["Leads", "Total"]],
)  # fmt: skip
def test_a_preamble_is_no_header(table, line):
    assert not looks_like_header(line, table=table)


def test_the_users_own_columns_make_a_header():
    columns = {"lead_id": "Nr", "mql_at": "Qualifiziert am", "owner": "Wer"}
    assert looks_like_header(["Nr", "Name", "Qualifiziert am"], table="leads", columns=columns)
    assert not looks_like_header(["Nr", "Name"], table="leads", columns=columns)
    assert looks_like_header(["when"], table="history", columns={"at": "when"})


@pytest.mark.parametrize("each", VENDORS, ids=lambda f: f.name)
def test_every_known_label_maps_to_its_column(each: Format):
    for ours, labels in each.columns.items():
        for label in labels:
            if label and not pattern_of(label):
                assert recognize([label], table=each.table, name=each.name).columns == {ours: label}


@pytest.mark.parametrize("each", VENDORS, ids=lambda f: f.name)
def test_every_regex_matches_an_example_of_its_column_and_of_no_other(each: Format):
    for ours, labels in each.columns.items():
        for label in filter(pattern_of, labels):
            examples = PATTERN_EXAMPLES[ours]
            assert any(matches([label], {fold(e): e}) for e in examples), label
        for others in (n for c, n in PATTERN_EXAMPLES.items() if c != ours):
            assert not [e for e in others if matches(labels, {fold(e): e})]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_format_file_is_whole(path):
    each = read_format(path)
    assert each.name == path.stem
    assert each.title
    assert each.table in (*TABLES, "any")
    known = set(TABLE_COLUMNS.get(each.table, ()))
    assert set(each.columns) | set(each.ask) | set(each.json) <= known | {"merged_ids"}
    assert each.requires or each.name == "plain"
    for required in (name for names in each.requires for name in names if name.startswith("=")):
        assert required[1:] in each.columns
    assert set(each.stages) <= set(STAGES)
    assert each.timezone in (None, "UTC", "ask")
    for regex in (*each.not_data, *each.total_row, *filter(None, [each.wide])):
        re.compile(regex)
    for name in (*each.refuses, *(n for names in each.columns.values() for n in names)):
        pattern_of(name)
        assert name == name.strip()


def test_no_stage_value_means_two_stages():
    for each in VENDORS:
        values = [v.casefold() for values in each.stages.values() for v in values]
        assert len(values) == len(set(values)), each.name


@pytest.mark.parametrize(
    "header", ["Avg. cost", "Cost / conv.", "Kosten/Conv.", "Coût moyen", "Avg. CPC", "Conversions"]
)
@pytest.mark.parametrize("name", [f.name for f in VENDORS if f.table == "spend"])
def test_what_is_no_sum_is_never_the_amount(name, header):
    assert recognize([header, "Day"], table="spend", name=name).columns.get("amount") is None


def test_a_refused_column_has_its_reason():
    google, hubspot = formats()["google-ads"], formats()["hubspot"]
    assert refused(google, "AVG. COST") == "is no sum of money spent"
    assert "ready-made duration" in str(
        refused(hubspot, 'Latest time in "Lead (Lifecycle Stage Pipeline)" (HH:mm:ss)')
    )
    assert refused(google, "Cost") is None


TOTALS = {
    "google-ads": [
        "Total: Account", "Total: Campaigns", "total: search", "Gesamt: Konto", "Total : compte",
        "Total\u202f: compte", "Totaal: account", "Totale: account", "Totalt: konto",
        "Razem: konto", "合計\uff1aアカウント", "Total", "Gesamt", "Summe",
    ],
    "linkedin-ads": ["Total"],
    "microsoft-ads": ["Total", "Overall total"],
    "tiktok-ads": ["Total of 1 result", "Total of 1,234 results"],
    "amazon-ads": ["Total"],
    "apple-search-ads": ["Grand Totals"],
    "mautic": ["Totals"],
    "quickbooks": ["Total for Advertising", "TOTAL", "Total of 6000 Advertising"],
    "xero": ["Total Advertising", "Total 400 - Advertising", "Total"],
    "quickbooks-budget": ["Total for Advertising", "Total Expenses", "Gross Profit", "Net Income"],
    "salesforce": ["Grand Totals (12 records)", "Grand Total", "Total (3 records)", "Subtotal"],
    "salesforce-history": ["Grand Totals (1,234 records)"],
}  # fmt: skip
NOT_DATA = {
    "salesforce": [
        "Confidential Information - Do Not Distribute",
        "Copyright © 2000-2026 salesforce.com, inc. All rights reserved.",
    ],
    "linkedin-ads": ["Report Start: 9/1/2026", "Date Generated: 9/3/2026"],
    "microsoft-ads": [
        "Report Name: Campaigns",
        "©2026 Microsoft Corporation. All rights reserved.",
    ],
    "xero": ["400 - Advertising", "Opening Balance", "Closing Balance"],
    "quickbooks": ["Advertising", "6000 Advertising", "Beginning Balance", "Accrual Basis Monday"],
}
DATA = {
    "google-ads": ["2026-09-01", "Total fitness", "Gesamtpaket Herbst", "Summer"],
    "linkedin-ads": ["9/1/2026"],
    "microsoft-ads": ["2026-09-01", "9/1/2026"],
    "xero": ["5 Jan 2026", "2026-01-05", "05/01/2026", "Payable Invoice", "Manual Journal"],
    "quickbooks": ["01/05/2026", "2026-01-05", "5 Jan 2026", "Expense", "Journal Entry", "Bill"],
    "quickbooks-budget": ["Advertising", "Trade shows"],
    "salesforce": ["00Q5e000001AbCd", "Totally Ltd", "Copyrighters Ltd"],
}


def is_one_of(regexes, cell):
    return any(re.fullmatch(r, cell, re.IGNORECASE) for r in regexes)


@pytest.mark.parametrize(("name", "cell"), [(n, c) for n, cells in TOTALS.items() for c in cells])
def test_a_total_is_known_in_every_language(name, cell):
    assert is_one_of(formats()[name].total_row, cell) or is_label(cell)


@pytest.mark.parametrize(("name", "cell"), [(n, c) for n, cells in NOT_DATA.items() for c in cells])
def test_a_footer_is_no_data(name, cell):
    assert is_one_of(formats()[name].not_data, cell)
    assert not is_one_of(formats()[name].total_row, cell)


@pytest.mark.parametrize(("name", "cell"), [(n, c) for n, cells in DATA.items() for c in cells])
def test_a_row_is_no_total_and_no_footer(name, cell):
    each = formats()[name]
    assert not is_one_of((*each.total_row, *each.not_data), cell)
    assert not is_label(cell)


@pytest.mark.parametrize(
    ("header", "currency"),
    [("Amount spent (USD)", "USD"), ("Montant dépensé (eur)", "EUR"), ("Amount spent", None)],
)
def test_the_currency_of_a_header(header, currency):
    found = recognize(["Reporting starts", "Reporting ends", header], table="spend")
    assert found.currency == currency


def test_the_older_family_of_stage_dates_comes_first_and_the_other_is_named():
    old, new = "Became a Marketing Qualified Lead Date", 'Date entered "Marketing Qualified Lead"'
    found = recognize(["Record ID", new, old], table="leads")
    assert found.columns["mql_at"] == old
    assert found.passed_over == {"mql_at": (new,)}


def test_stage_dates_that_may_mean_different_things_are_asked_about():
    with pytest.raises(SourceError) as error:
        recognize(["Id", "LeadSource", "MQL_Date__c", "First_MQL_Date__c"], table="leads")
    assert str(error.value) == (
        "2 columns could be mql_at, and need not mean the same.\n"
        "  Found:    'MQL_Date__c', 'First_MQL_Date__c'\n"
        "  Fix:      add the line `columns: {mql_at: MQL_Date__c}` or "
        "`columns: {mql_at: First_MQL_Date__c}` below leads: in source.yaml"
    )
    answered = recognize(
        ["Id", "LeadSource", "MQL_Date__c", "First_MQL_Date__c"],
        table="leads",
        columns={"mql_at": "first_mql_date__c"},
    )
    assert answered.columns["mql_at"] == "First_MQL_Date__c"


def test_source_yaml_wins_and_a_column_is_read_once():
    found = recognize(
        ["Id", "LeadSource", "IsConverted", "Country"],
        table="leads",
        columns={"campaign": "LeadSource", "country": "country", "source": "Channel"},
    )
    assert found.columns == {"lead_id": "Id", "campaign": "LeadSource", "country": "Country"}


def test_our_own_names_are_known_in_every_format():
    found = recognize(["Id", "LeadSource", "IsConverted", "mql_at"], table="leads")
    assert found.columns["mql_at"] == "mql_at"
    assert recognize(["Month", "MQLs"], table="goals").columns == {"month": "Month", "mqls": "MQLs"}


def test_a_header_of_nobody_is_plain():
    found = recognize(["lead_id", "mql_at", "Color"], table="leads")
    assert found.format.name == "plain"
    assert found.columns == {"lead_id": "lead_id", "mql_at": "mql_at"}
    assert found.why == "it has the headers of no other format"


def test_the_more_specific_format_wins():
    # All of what tells Salesforce is in this Marketo extract too.
    found = recognize(["id", "createdAt", "leadSource", "leadStatus"], table="leads")
    assert found.format.name == "marketo"
    assert found.why == "it has 'id', 'createdAt', 'leadStatus', 'leadSource'"


def test_a_tie_is_a_question():
    with pytest.raises(SourceError) as error:
        recognize(
            ["Record ID", "Create Date", "Lead ID", "Lead Source"], table="leads", file="a.csv"
        )
    assert str(error.value) == (
        "a.csv: the header fits 2 formats equally well.\n"
        "  Found:    'Record ID', 'Create Date', 'Lead ID' and 1 more\n"
        "  Fix:      add the line `format: hubspot` or `format: salesforce` below leads: in "
        "source.yaml"
    )
    named = recognize(
        ["Record ID", "Create Date", "Lead ID", "Lead Source"], table="leads", name="hubspot"
    )
    assert (named.format.name, named.why) == ("hubspot", "format: hubspot in source.yaml")


def test_an_unknown_format_gives_the_nearest():
    with pytest.raises(SourceError) as error:
        check_format("salesfroce", "source.yaml: leads")
    assert str(error.value) == (
        "source.yaml: leads: format 'salesfroce' is unknown.\n"
        "  Fix:      did you mean 'salesforce'?"
    )


def test_an_unknown_name_in_a_format_file_gives_the_nearest(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\ntitle: Mine\ntable: leads\ncolum: {}\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"name 'colum' is unknown.\n  Fix:.*'columns'"):
        read_format(path)


@pytest.mark.parametrize(
    ("table", "header"),
    [
        ("leads", {"lead_id": "Lead ID", "mql_at": "MQL At", "won_at": "won-at"}),
        ("leads", {"lead_id": "LEADID", "created_at": "Created.At", "sql_at": " sql  at "}),
        ("leads", {"lead_id": "lead_id", "rejection_reason": "Rejection Reason"}),
        ("history", {"lead_id": "Lead-Id", "at": "At", "stage": "STAGE"}),
        ("spend", {"date_from": "Date from", "date_to": "date to", "amount": "Amount"}),
        ("goals", {"month": "Month:", "mqls": "MQLs"}),
    ],
)
def test_our_own_names_need_no_mapping_whatever_their_case_blanks_and_punctuation(table, header):
    found = recognize([*header.values(), "Color"], table=table)
    assert found.format.name == "plain"
    assert found.columns == header
    assert looks_like_header([*header.values()], table=table)


def test_a_header_that_is_exactly_our_name_comes_before_one_that_is_nearly():
    found = recognize(["MQL at", "mql_at", "Lead ID"], table="leads")
    assert found.columns == {"lead_id": "Lead ID", "mql_at": "mql_at"}


def test_plain_is_the_first_of_the_formats():
    assert next(iter(formats())) == "plain"
    assert len(formats()) == len(list(FOLDER.glob("*.yaml")))


def test_known_headers_are_those_of_the_table():
    assert tuple(known_headers(formats()["plain"], "history")) == ("lead_id", "at", "stage")
