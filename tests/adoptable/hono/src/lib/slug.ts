const SLUG = /^[a-z0-9][a-z0-9-]{0,31}$/;

export const isSlug = (text: string): boolean => SLUG.test(text);

export const slugOf = (text: string): string => text.trim().toLowerCase();
