import { PAGE_STYLE } from "./page_style.ts";
import { DARK } from "./palette.ts";

const darkSeries = DARK.map((color, at) =>
  `.stroke-${at}{stroke:${color}}.fill-${at}{fill:${color}}`
).join("");

/** The style sheet of a report: readable from the back row, on paper, on light and dark screens. */
export const STYLE = `${PAGE_STYLE}
body{font-size:1.125rem;line-height:1.55;overflow-wrap:normal}
main{max-width:64rem;padding:2.5rem 1.5rem 4rem}
h1,h2{overflow-wrap:anywhere}
h1{font-size:2.25rem;margin:0 0 1.5rem;letter-spacing:-.01em}
h2{font-size:1.5rem;line-height:1.3;margin:3rem 0 .75rem}
p{max-width:44rem;margin:.75rem 0}
nav ul{margin:0;padding:0;list-style:none;columns:2 18rem;gap:2rem}
nav li{break-inside:avoid;padding:.15rem 0}
figure{margin:0;overflow-x:auto}
figure svg{display:block;width:100%;min-width:36rem;height:auto}
figcaption,.note{color:var(--muted);font-size:1rem;max-width:44rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;min-width:min(100%,30rem);font-variant-numeric:tabular-nums}
th,td{padding:.45rem .9rem .45rem .5rem;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--rule)}
thead th{border-bottom:2px solid var(--ink);font-size:1rem}
tbody th{font-weight:500}
tbody tr:nth-child(even){background:var(--band)}
.number{text-align:right}
.number,.whole{white-space:nowrap}
thead th{white-space:normal}
.long{min-width:20rem}
footer{margin-top:4rem;color:var(--muted);font-size:1rem}
@media screen and (prefers-color-scheme:dark){
.chart .paper{fill:var(--paper)}.chart .ink{fill:var(--ink)}.chart .muted{fill:var(--muted)}
.chart .grid{stroke:var(--rule)}.chart .axis{stroke:var(--muted)}.chart .paper-stroke{stroke:var(--paper)}
${darkSeries}}
@media print{
body{font-size:11pt}main{max-width:none;padding:0}.long,figure svg{min-width:0}nav{display:none}a{color:inherit}
h2{break-after:avoid}figure,tr{break-inside:avoid}thead{display:table-header-group}
}`;
