const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** The address when it is one a reader may safely follow, otherwise `undefined`. */
export const safeLink = (address: unknown): string | undefined => {
  if (typeof address !== "string") return undefined;
  try {
    const url = new URL(address.trim());
    return ALLOWED.has(url.protocol) ? url.href : undefined;
  } catch {
    // Relative or broken: a model has no business linking into this host.
    return undefined;
  }
};

export const safeWebLink = (address: unknown): string | undefined => {
  const href = safeLink(address);
  return href?.startsWith("http") ? href : undefined;
};

export const hostOf = (href: string): string => new URL(href).host.replace(/^www\./, "");
