/**
 * The addresses of PagerDuty's pages.
 *
 * @module
 */

/** PagerDuty serves its pages by https on these domains and their subdomains. */
export const PAGERDUTY_DOMAINS: readonly string[] = ["pagerduty.com"];
