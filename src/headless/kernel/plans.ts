// A script of the kernel's own, loaded with the first `npm` or `npx`: what their command lines stand for.
import { offer } from "../libraries.ts";
import { planLate } from "./npm.ts";

offer({ planLate });
