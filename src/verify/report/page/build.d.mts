/** The script of the report page, as the page has it between its tags. */
export function pageScript(): Promise<string>;
