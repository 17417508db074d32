/**
 * The desk's style. Pure.
 *
 * @module
 */
export const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
`;
