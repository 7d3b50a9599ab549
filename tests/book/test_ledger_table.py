"""The ledger's table: legible to readers, machines and screen readers."""

import json

from dlbook.book.ledger import Ledger
from dlbook.book.ledger_entries import entries
from dlbook.book.ledger_table import MIME, Shown


def test_the_table_is_accessible_and_escaped():
    ledger = Ledger("resnet")
    ledger.check("a < b & c", 1234567, 1234567, unit="MACs", source="eq. (1)")
    ledger.cite("error", "24.7 %", citation="he2016deep", where="Table 4")
    bundle, metadata = Shown("resnet", entries(ledger.rows))._repr_mimebundle_()
    html = bundle["text/html"]
    assert "<caption>Ledger" in html and html.count('scope="col"') == 6 and html.count('scope="row"') == 2
    assert "a &lt; b &amp; c" in html and "1,234,567 MACs" in html and "exact" in html
    assert "verified here" in html and "reported, not run here" in html and "He 2016</cite>, Table 4" in html
    assert "style=" not in html and "color" not in html
    data = json.loads(json.dumps(metadata[MIME]))
    assert data["chapter"] == "resnet" and [entry["shown"]["kind"] for entry in data["entries"]] == [
        "verified",
        "cited",
    ]
