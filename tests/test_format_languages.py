"""Export formats in other languages: every language of every format has a row."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, product

import pytest
from test_formats import EXPORTS, VENDORS, headers_of

from mqlkit.sources.formats import fold, formats, looks_like_header, recognize
from mqlkit.sources.spec import TABLES

# Format, language, the header of an export in it, and what its columns are.
TRANSLATED = [
    ("hubspot", "de", ("Datensatz-ID,Erstelldatum,Lifecycle-Phase,Zuständiger Mitarbeiter,"
     "Ursprüngliche Quelle,Datum der Konversion zum Marketing-Qualified-Lead"),
     {"lead_id": "Datensatz-ID", "created_at": "Erstelldatum", "owner": "Zuständiger Mitarbeiter",
      "source": "Ursprüngliche Quelle",
      "mql_at": "Datum der Konversion zum Marketing-Qualified-Lead"}),
    ("hubspot", "fr", ("ID de fiche d'informations,Date de création,Phase du cycle de vie,"
     "Propriétaire du contact,Source d'origine"),
     {"lead_id": "ID de fiche d'informations", "created_at": "Date de création",
      "owner": "Propriétaire du contact", "source": "Source d'origine"}),
    ("hubspot", "es", ("ID de registro,Fecha de creación,Etapa del ciclo de vida,"
     "Propietario del contacto,Fuente original"),
     {"lead_id": "ID de registro", "created_at": "Fecha de creación",
      "owner": "Propietario del contacto", "source": "Fuente original"}),
    ("hubspot", "pt", ("ID do registro,Data de criação,Fase do ciclo de vida,"
     "Proprietário do contato,Fonte original"),
     {"lead_id": "ID do registro", "created_at": "Data de criação",
      "owner": "Proprietário do contato", "source": "Fonte original"}),
    ("hubspot", "it", ("ID record,Data di creazione,Fase del ciclo di vita,"
     "Proprietario del contatto,Fonte originale"),
     {"lead_id": "ID record", "created_at": "Data di creazione",
      "owner": "Proprietario del contatto", "source": "Fonte originale"}),
    ("hubspot", "nl",
     "Record-ID,Aanmaakdatum,Levenscyclusfase,Contacteigenaar,Oorspronkelijke bron",
     {"lead_id": "Record-ID", "created_at": "Aanmaakdatum", "owner": "Contacteigenaar",
      "source": "Oorspronkelijke bron"}),
    ("hubspot", "ja", "レコードID,作成日,ライフサイクルステージ,コンタクト担当者,オリジナルソース",
     {"lead_id": "レコードID", "created_at": "作成日", "owner": "コンタクト担当者",
      "source": "オリジナルソース"}),
    ("salesforce", "de", "Lead-ID,Lead-Inhaber,Lead-Quelle,Lead-Status,Erstelldatum,Firma",
     {"lead_id": "Lead-ID", "owner": "Lead-Inhaber", "source": "Lead-Quelle",
      "created_at": "Erstelldatum"}),
    ("salesforce", "fr", ("ID de piste,Propriétaire de la piste,Origine de la piste,"
     "Statut de la piste,Société/Compte,Date de création"),
     {"lead_id": "ID de piste", "owner": "Propriétaire de la piste",
      "source": "Origine de la piste", "created_at": "Date de création"}),
    ("salesforce", "es", "Lead ID,Propietario del candidato,Estado de candidato,Fecha de creación",
     {"lead_id": "Lead ID", "owner": "Propietario del candidato",
      "created_at": "Fecha de creación"}),
    ("salesforce", "it", "Titolare lead,Stato lead,Data creazione",
     {"owner": "Titolare lead", "created_at": "Data creazione"}),
    ("salesforce", "pt", "ID do lead,Proprietário do lead,Origem do lead,Data de criação",
     {"lead_id": "ID do lead", "owner": "Proprietário do lead", "source": "Origem do lead",
      "created_at": "Data de criação"}),
    ("zoho", "es", ("ID de registro,Propietario de Posible Cliente,Estado de Posible Cliente,"
     "Hora de creación,MQL Date"),
     {"lead_id": "ID de registro", "owner": "Propietario de Posible Cliente",
      "created_at": "Hora de creación", "mql_at": "MQL Date"}),
    ("dynamics365", "de", ("(Nicht ändern) Lead,(Nicht ändern) Zeilenprüfsumme,"
     "(Nicht ändern) Geändert am,Thema,Erstellt am,Besitzer,Leadquelle,MQL Date"),
     {"lead_id": "(Nicht ändern) Lead", "created_at": "Erstellt am", "owner": "Besitzer",
      "source": "Leadquelle", "mql_at": "MQL Date"}),
    ("pipedrive", "de", ("Lead - Titel,Lead - Besitzer,Lead - Lead erstellt,"
     "Lead - Zeit der Aktualisierung,Person - E-Mail"),
     {"owner": "Lead - Besitzer", "created_at": "Lead - Lead erstellt"}),
    ("pipedrive", "es", ("Prospecto - ID,Prospecto - Título,Prospecto - Propietario,"
     "Prospecto - Prospecto creado"),
     {"lead_id": "Prospecto - ID", "owner": "Prospecto - Propietario",
      "created_at": "Prospecto - Prospecto creado"}),
    ("pipedrive", "pt", "Lead - ID,Lead - Título,Lead - Proprietário,Lead - Lead criado em",
     {"lead_id": "Lead - ID", "owner": "Lead - Proprietário",
      "created_at": "Lead - Lead criado em"}),
    ("pipedrive", "fr", "Lead - ID,Lead - Titre,Lead - Propriétaire,Lead - Lead créé",
     {"lead_id": "Lead - ID", "owner": "Lead - Propriétaire", "created_at": "Lead - Lead créé"}),
    ("sugarcrm", "de", "ID,Erstellt am,Status,Quelle des Interessenten,Zugewiesen an,Kampagne",
     {"lead_id": "ID", "created_at": "Erstellt am", "source": "Quelle des Interessenten",
      "owner": "Zugewiesen an", "campaign": "Kampagne"}),
    # SuiteCRM's labels end in a colon, in French after a space.
    ("sugarcrm", "fr", "ID,Date de création :,Statut :,Origine du prospect :,Assigné à",
     {"lead_id": "ID", "created_at": "Date de création :", "source": "Origine du prospect :",
      "owner": "Assigné à"}),
    ("sugarcrm", "es", "ID,Fecha de Creación,Estado,Toma de contacto,Asignado a",
     {"lead_id": "ID", "created_at": "Fecha de Creación", "source": "Toma de contacto",
      "owner": "Asignado a"}),
    ("sugarcrm", "pt", "ID,Data de Criação:,Status:,Origem do Potencial:,Atribuído a",
     {"lead_id": "ID", "created_at": "Data de Criação:", "source": "Origem do Potencial:",
      "owner": "Atribuído a"}),
    ("sugarcrm", "it", "ID,Data di Creazione,Stato,Fonte del lead,Assegnato a",
     {"lead_id": "ID", "created_at": "Data di Creazione", "source": "Fonte del lead",
      "owner": "Assegnato a"}),
    ("sugarcrm", "nl", "ID,Aanmaakdatum,Status,Bron voor lead,Toegewezen aan",
     {"lead_id": "ID", "created_at": "Aanmaakdatum", "source": "Bron voor lead",
      "owner": "Toegewezen aan"}),
    ("sugarcrm", "ja", "ID,作成日,ステータス,潜在顧客ソース,割り当て先",
     {"lead_id": "ID", "created_at": "作成日", "source": "潜在顧客ソース",
      "owner": "割り当て先"}),
    ("odoo", "de", "ID,Verkaufschance,Erstellt am,Vertriebsmitarbeiter,Herkunft,Phase,Kampagne",
     {"lead_id": "ID", "created_at": "Erstellt am", "owner": "Vertriebsmitarbeiter",
      "source": "Herkunft", "campaign": "Kampagne"}),
    ("odoo", "fr", "ID externe,Opportunité,Créé le,Vendeur,Source,Étape,Motif de perte",
     {"lead_id": "ID externe", "created_at": "Créé le", "owner": "Vendeur", "source": "Source",
      "rejection_reason": "Motif de perte"}),
    ("odoo", "es", "ID externo,Oportunidad,Creado el,Comercial,Origen,Etapa",
     {"lead_id": "ID externo", "created_at": "Creado el", "owner": "Comercial",
      "source": "Origen"}),
    ("odoo", "pt", "ID,Oportunidade,Criado em,Vendedor,Origem,Estágio,Campanha",
     {"lead_id": "ID", "created_at": "Criado em", "owner": "Vendedor", "source": "Origem",
      "campaign": "Campanha"}),
    ("odoo", "it", "ID esterno,Opportunità,Data creazione,Addetto vendite,Origine,Fase",
     {"lead_id": "ID esterno", "created_at": "Data creazione", "owner": "Addetto vendite",
      "source": "Origine"}),
    ("odoo", "nl", "Externe ID,Verkoopkans,Aangemaakt op,Verkoper,Bron,Fase",
     {"lead_id": "Externe ID", "created_at": "Aangemaakt op", "owner": "Verkoper",
      "source": "Bron"}),
    ("odoo", "ja", "外部ID,案件,作成日,販売担当者,発生元,ステージ",
     {"lead_id": "外部ID", "created_at": "作成日", "owner": "販売担当者", "source": "発生元"}),
    ("bitrix24", "de", "ID,Leadname,Phase,Erstellt am,Verantwortlich,Quelle",
     {"lead_id": "ID", "created_at": "Erstellt am", "owner": "Verantwortlich",
      "source": "Quelle"}),
    ("bitrix24", "ru", "ID,Название лида,Статус,Дата создания,Ответственный,Источник",
     {"lead_id": "ID", "created_at": "Дата создания", "owner": "Ответственный",
      "source": "Источник"}),
    ("google-ads", "de", "Tag,Kampagne,Währungscode,Kosten",
     {"date": "Tag", "campaign": "Kampagne", "currency": "Währungscode", "amount": "Kosten"}),
    ("google-ads", "fr", "Jour,Campagne,Code de la devise,Coût",
     {"date": "Jour", "campaign": "Campagne", "currency": "Code de la devise", "amount": "Coût"}),
    ("google-ads", "es", "Día,Campaña,Código de moneda,Coste",
     {"date": "Día", "campaign": "Campaña", "currency": "Código de moneda", "amount": "Coste"}),
    ("google-ads", "it", "Giorno,Campagna,Codice valuta,Costo",
     {"date": "Giorno", "campaign": "Campagna", "currency": "Codice valuta", "amount": "Costo"}),
    ("google-ads", "nl", "Dag,Campagne,Valutacode,Kosten",
     {"date": "Dag", "campaign": "Campagne", "currency": "Valutacode", "amount": "Kosten"}),
    ("google-ads", "pl", "Dzień,Kampania,Kod waluty,Koszt",
     {"date": "Dzień", "campaign": "Kampania", "currency": "Kod waluty", "amount": "Koszt"}),
    ("google-ads", "pt", "Dia,Campanha,Código da moeda,Custo",
     {"date": "Dia", "campaign": "Campanha", "currency": "Código da moeda", "amount": "Custo"}),
    ("google-ads", "sv", "Dag,Kampanj,Valutakod,Kostnad",
     {"date": "Dag", "campaign": "Kampanj", "currency": "Valutakod", "amount": "Kostnad"}),
    ("google-ads", "fi", "Päivä,Kampanja,Valuuttakoodi,Kustannus",
     {"date": "Päivä", "campaign": "Kampanja", "currency": "Valuuttakoodi",
      "amount": "Kustannus"}),
    ("google-ads", "ja", "日,キャンペーン,通貨コード,費用",
     {"date": "日", "campaign": "キャンペーン", "currency": "通貨コード", "amount": "費用"}),
    ("linkedin-ads", "de", ("Startdatum (in UTC),Name der Kampagne,Name der Anzeigengruppe,"
     "Anzeigengruppen-ID,Gesamtausgaben,Impressions,Klicks"),
     {"date": "Startdatum (in UTC)", "campaign": "Name der Kampagne", "amount": "Gesamtausgaben"}),
    ("meta-ads", "fr", ("Nom de la campagne,Jour,Montant dépensé (EUR),Début des rapports,"
     "Fin des rapports"),
     {"date": "Jour", "campaign": "Nom de la campagne", "amount": "Montant dépensé (EUR)"}),
    ("meta-ads", "es", "Nombre de la campaña,Día,Importe gastado (MXN)",
     {"date": "Día", "campaign": "Nombre de la campaña", "amount": "Importe gastado (MXN)"}),
    ("meta-ads", "de", "Kampagnenname,Tag,Ausgegebener Betrag (EUR),Impressionen",
     {"date": "Tag", "campaign": "Kampagnenname", "amount": "Ausgegebener Betrag (EUR)"}),
    ("meta-ads", "it", "Nome della campagna,Giorno,Importo speso (EUR),Risultati",
     {"date": "Giorno", "campaign": "Nome della campagna", "amount": "Importo speso (EUR)"}),
    ("meta-ads", "pt", ("Nome da campanha,Dia,Valor usado (BRL),Início dos relatórios,"
     "Término dos relatórios"),
     {"date": "Dia", "campaign": "Nome da campanha", "amount": "Valor usado (BRL)"}),
    ("meta-ads", "nl", "Campagnenaam,Bereik,Besteed bedrag (EUR),Start rapportage,Einde rapportage",
     {"campaign": "Campagnenaam", "amount": "Besteed bedrag (EUR)",
      "date_from": "Start rapportage", "date_to": "Einde rapportage"}),
    ("meta-ads", "ja", "キャンペーン名,日,消化金額 (JPY),レポート開始日,レポート終了日",
     {"date": "日", "campaign": "キャンペーン名", "amount": "消化金額 (JPY)"}),
]  # fmt: skip
ENGLISH = [(name, "en", *case) for name, cases in EXPORTS.items() for case in cases]
ALL = [*TRANSLATED, *ENGLISH]


@pytest.mark.parametrize(("name", "language", "header", "expected"), TRANSLATED)
def test_a_translated_header_is_recognized_and_its_columns_found(name, language, header, expected):
    assert language in formats()[name].languages
    found = recognize(headers_of(header), table=formats()[name].table)
    assert found.format.name == name
    assert found.columns == expected


def test_every_language_of_every_format_has_a_row():
    rows = {(name, language) for name, language, *_ in ALL}
    assert rows == set().union(*(product([f.name], f.languages) for f in VENDORS))


@pytest.mark.parametrize("each", formats().values(), ids=lambda f: f.name)
def test_a_format_says_where_its_facts_are_from(each):
    assert each.based_on
    assert each.languages[0] == "en"
    assert len(set(each.languages)) == len(each.languages)
    assert all(sentence.endswith((".", "`.")) for sentence in each.unconfirmed)


@pytest.mark.parametrize(("name", "_", "header", "expected"), ALL)
def test_an_export_belongs_to_one_table(name, _, header, expected):
    # As bare exports are sorted: a known format first, then the number of its columns.
    def rank(table):
        found = recognize(headers_of(header), table=table)
        return found.format.name != "plain", len(found.columns), -TABLES.index(table)

    assert max(TABLES, key=rank) == formats()[name].table


@pytest.mark.parametrize(("name", "language", "header", "expected"), ALL)
def test_further_columns_in_any_order_change_nothing(name, language, header, expected):
    # Names that many systems share, and none of which is a column here.
    cells = [*headers_of(header), "E-Mail", "Telefon", "Company Name", "Notes", "País", "Score"]
    shuffled = random.Random(f"{name}{language}").sample(cells, len(cells))
    found = recognize(shuffled, table=formats()[name].table)
    assert (found.format.name, found.columns) == (name, expected)


@pytest.mark.parametrize(("name", "_", "header", "expected"), ALL)
def test_without_a_column_an_export_is_never_of_another_vendor(name, _, header, expected):
    # Users choose the columns of an export: what is left may be too little, but does not mislead.
    cells = headers_of(header)
    for left in combinations(cells, len(cells) - 1):
        found = recognize(left, table=formats()[name].table)
        assert found.format.name in (name, "plain"), left


@pytest.mark.parametrize(("name", "_", "header", "expected"), TRANSLATED)
def test_a_translated_header_is_told_from_a_preamble(name, _, header, expected):
    assert looks_like_header(headers_of(header), table=formats()[name].table)


@pytest.mark.parametrize("each", VENDORS, ids=lambda f: f.name)
def test_no_header_is_known_for_two_columns(each):
    known = Counter(h for names in each.columns.values() for h in {fold(n) for n in names})
    assert not [header for header, n in known.items() if n > 1]
