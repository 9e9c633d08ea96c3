import { DARK, FONT, GRID, INK, LIGHT, MUTED } from "./palette.ts";

/** What every page has, a report as well as those that roles serve: its colours on light and dark screens, and its type. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:${INK};--muted:${MUTED};--rule:${GRID};--band:#f6f8fa;--warn:#a15c00;${
  series(LIGHT)
}}
@media screen and (prefers-color-scheme:dark){
:root{--paper:#0d1117;--ink:#e6edf3;--muted:#9da7b3;--rule:#30363d;--band:#161b22;--warn:#edb83d;${
  series(DARK)
}}
}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 ${FONT};overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 1rem}
a{color:var(--series-0)}
table{overflow-wrap:normal}
`;

/** A page's own style is in its head: the common one goes before it. */
export function withPageStyle(page: string): string {
  return page.replace("<style>", () => `<style>${PAGE_STYLE}`);
}

function series(colors: readonly string[]): string {
  return colors.map((color, at) => `--series-${at}:${color}`).join(";");
}
