"""How the page of all days looks.

Belongs here: the style sheet, for a desk and for a phone. Does not belong here: HTML (index_page).
"""

STYLE = """
body{margin:0;background:#fff;color:#1c1c1c;font:15px/1.45 system-ui,sans-serif}
main{max-width:1160px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:24px;margin:0}h2{font-size:18px;margin:28px 0 8px}h3{font-size:15px;margin:16px 0 6px}
p{margin:4px 0}a{color:#0b4f8a}.mute,small{color:#5b6570}
code{background:#f3f4f6;padding:1px 5px;border-radius:4px;font-size:12.5px;overflow-wrap:anywhere}
.verdict{display:inline-block;min-width:44px;padding:1px 9px;border-radius:9px;font-weight:600;
text-align:center;text-decoration:none}.verdict:hover{text-decoration:underline}
.open{list-style:none;margin:0;padding:0}.open li{border:1px solid #e1e5ea;border-radius:8px;
padding:9px 12px;margin:8px 0}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(208px,1fr));gap:10px}
figure{margin:0;border:1px solid #e1e5ea;border-radius:8px;padding:8px 10px;min-width:0}
figcaption{font-size:13px;color:#3b4650}figure .mute{display:inline-block}svg{display:block;width:100%;height:auto;margin-top:4px}
table{border-collapse:collapse;width:100%}th,td{padding:6px 8px;text-align:left;
border-bottom:1px solid #e8ebef;vertical-align:top}thead th{font-size:13px;color:#3b4650}
tbody th{font-weight:600;white-space:nowrap}td small{display:block;font-size:12px}
details{margin:8px 0}summary{cursor:pointer}ul{padding-left:20px}
@media(max-width:680px){
.plots{grid-template-columns:repeat(2,minmax(0,1fr))}
thead{display:none}table,tbody{display:block}
tr{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:4px 8px;border:1px solid #e1e5ea;border-radius:8px;
margin:8px 0;padding:8px 10px}tbody th{grid-column:1/-1;border:0;padding:0 0 2px}
td{border:0;padding:2px 0}td::before{content:attr(data-area);display:block;font-size:12px;color:#3b4650}
}
"""
