/**
 * Where PagerDuty's pages are.
 *
 * @module
 */

/** PagerDuty serves them over https, on these domains and their subdomains. */
export const PAGERDUTY_DOMAINS: readonly string[] = ["pagerduty.com"];
