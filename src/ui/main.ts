// Entry of the page.
if (new URLSearchParams(location.search).has("lab")) void import("./lab.ts");
