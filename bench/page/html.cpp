#include "bench/page/html.hpp"

namespace switchboard::page {

namespace {

constexpr const char* style =
  R"(
:root{--ink:#1c2430;--soft:#5b6675;--line:#dde2e8;--page:#f6f7f9;--card:#fff;
--p0:#0b6e4f;--p1:#d55e00;--p2:#3b7dd8;--p3:#a65fa8;--p4:#b8860b;--p5:#7a8794;
--win:#dff3ea;--lose:#fde6d8}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;
--line:#333c48;--page:#14181d;--card:#1c2229;--p0:#3ecf9b;--p1:#ff9850;
--p2:#7fb2ff;--p3:#d69ad8;--p4:#e0b84a;--p5:#9aa6b5;--win:#173d30;
--lose:#4a2a18}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1200px;padding:28px 20px 60px;background:var(--page);
color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:26px;margin:0 0 6px}h2{font-size:19px;margin:36px 0 10px}
h3{font-size:15px;margin:0 0 8px}p{margin:6px 0}
.soft,figcaption{color:var(--soft)}
code{background:var(--line);border-radius:4px;padding:2px 6px;font-size:13px;
overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:14px 16px;margin:12px 0;overflow-x:auto}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:12px}
.row .card{margin:0}
svg{display:block;width:100%;height:auto;font-size:12px}
svg text{fill:var(--ink)}svg .load,svg .tick{fill:var(--soft)}
svg.bars{min-width:720px}svg .end{text-anchor:end}svg .middle{text-anchor:middle}
svg .ours{font-weight:600}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
.interval{stroke:var(--ink);stroke-width:1.5;opacity:.65}
.curve{fill:none;stroke-width:1.6;opacity:.9}.curve.p0{stroke-width:3}
)"
  R"(.p0{stroke:var(--p0)}.p1{stroke:var(--p1)}.p2{stroke:var(--p2)}
.p3{stroke:var(--p3)}.p4{stroke:var(--p4)}.p5{stroke:var(--p5)}
.bar{stroke:none;opacity:.55}.bar.p0{fill:var(--p0);opacity:1}
.bar.p1{fill:var(--p1)}.bar.p2{fill:var(--p2)}.bar.p3{fill:var(--p3)}
.bar.p4{fill:var(--p4)}.bar.p5{fill:var(--p5)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;
margin:8px 0}
.legend svg{width:26px;height:10px;display:inline-block;margin-right:6px}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:right;padding:5px 7px;border-bottom:1px solid var(--line);
white-space:nowrap;font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left}
th{font-weight:600;color:var(--soft)}
td.win{background:var(--win)}td.lose{background:var(--lose)}
tr.ours td{font-weight:600}
)";

} // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const auto c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string element(std::string_view name, std::string_view text,
                    std::string_view kind) {
  auto out = '<' + std::string(name);
  if (!kind.empty())
    out += " class=\"" + std::string(kind) + '"';
  return out + '>' + escaped(text) + "</" + std::string(name) + '>';
}

std::string document(std::string_view title, std::string_view body) {
  return "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n"
         + element("title", title) + "\n<style>" + style
         + "</style></head>\n<body>\n" + std::string(body)
         + "</body>\n</html>\n";
}

} // namespace switchboard::page
