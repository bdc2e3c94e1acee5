/** Results inside of a page that has more to say: what is between two comments is written by the comparison. */

export const BEGIN = '<!-- results: written by npm run bench:peers -->';
export const END = '<!-- end of results -->';

/** @throws Error where the page has not both comments, in this order */
export function withResults(page: string, results: string, file: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error(`--md ${file} has no place for results, which is between "${BEGIN}" and "${END}"`);
  }
  return `${page.slice(0, begin + BEGIN.length)}\n\n${results}\n${page.slice(end)}`;
}
