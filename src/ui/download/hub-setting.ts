// Which hub repositories are asked for: Hugging Face, unless a mirror is set. The engine's worker reads the same setting.
import { AppError, rethrowIfFatal } from "../../base/errors.ts";
import { HUB_URL } from "../../download/address.ts";
import { HUB_SETTING } from "../../engine/hub-setting.ts";
import { openShelf } from "../../storage/shelf.ts";

export async function hubUrl(): Promise<string> {
  try {
    const kept = await (await openShelf<unknown>("settings")).get(HUB_SETTING);
    return typeof kept === "string" && URL.canParse(kept) ? kept : HUB_URL;
  } catch (error) {
    rethrowIfFatal(error);
    return HUB_URL;
  }
}

/** Empty is Hugging Face again. Returns what is used from now on. Throws `download/address` or `storage/…`. */
export async function keepHubUrl(text: string): Promise<string> {
  const written = text.trim() === "" ? HUB_URL : text.trim();
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (!url || !(url.protocol === "https:" || (url.protocol === "http:" && /^(?:localhost|127\.0\.0\.1)$/.test(url.hostname)))) {
    throw new AppError("download/address", `“${written.slice(0, 200)}” is no address of a hub. Write its https address, or leave it empty for Hugging Face.`);
  }
  const hub = url.href.replace(/\/+$/, "");
  await (await openShelf<unknown>("settings")).put(HUB_SETTING, hub);
  return hub;
}
