/** The page that plays a title, its script, and dash.js as npm has it: one module without imports. */
import dashJs from "dashjs" with { type: "text" };
import page from "./watch.html" with { type: "text" };
import script from "./watch.js" with { type: "text" };

export { dashJs, page, script };
