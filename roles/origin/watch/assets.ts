/** The page that plays a title, its script, and dash.js as npm has it: one module without imports. */
import dashJs from "dashjs" with { type: "text" };
import page from "./page.html" with { type: "text" };
import script from "./page.js" with { type: "text" };

export { dashJs, page, script };
