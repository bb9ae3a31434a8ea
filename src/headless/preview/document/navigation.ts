// Links and forms: what would leave the document becomes a request to the page around it.
import { goTo, type Place } from "./location.ts";
import type { Served } from "./served.ts";

export function followNavigation(place: Place, served: Served): void {
  // After the document's own listeners, which may have dealt with it.
  addEventListener("click", (event) => {
    const link = event.composedPath().find((node): node is HTMLAnchorElement => node instanceof HTMLAnchorElement || node instanceof HTMLAreaElement);
    if (event.defaultPrevented || event.button !== 0 || !link?.hasAttribute("href") || link.hasAttribute("download")) return;
    if (link.protocol === "javascript:") return;
    event.preventDefault();
    goTo(link.href, place, served);
  });
  addEventListener("submit", (event) => {
    if (event.defaultPrevented || !(event.target instanceof HTMLFormElement)) return;
    event.preventDefault();
    void submit(event.target, event.submitter, served);
  });
  HTMLFormElement.prototype.submit = function () {
    void submit(this, null, served);
  };
}

/** As the HTML standard has it, of the submitter before the form. */
async function submit(form: HTMLFormElement, submitter: HTMLElement | null, served: Served): Promise<void> {
  const said = (name: string): string | null => submitter?.getAttribute(`form${name}`) ?? form.getAttribute(name);
  const url = new URL(said("action") || document.baseURI, document.baseURI);
  const data = new FormData(form, submitter);
  const method = (said("method") ?? "get").toLowerCase();
  if (method === "dialog") return form.closest("dialog")?.close((submitter as HTMLButtonElement | null)?.value);
  const fields = new URLSearchParams([...data].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
  if (method !== "post") {
    url.search = fields.toString();
    return served.tell({ type: "navigate", to: { url: url.href, method: "GET", headers: [], body: null, replace: false } });
  }
  const request = new Request(url, { method: "POST", body: said("enctype") === "multipart/form-data" ? data : fields });
  const body = new Uint8Array(await request.arrayBuffer());
  served.tell({ type: "navigate", to: { url: url.href, method: "POST", headers: [["Content-Type", request.headers.get("content-type") ?? ""]], body, replace: false } });
}
