/** Why something failed, in words for people: file systems answer with codes, "EISDIR: illegal operation on a directory". */

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder, expected a file',
  ENOTDIR: 'it, or a part of its path, is a file, expected a folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EMFILE: 'too many files are open',
  ELOOP: 'its links go round in a circle',
  ENAMETOOLONG: 'its name is too long',
};

/** What to say of whatever was thrown: the words for a code of the file system, else its message. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code } = thrown as { readonly code?: string };
  return (code === undefined ? undefined : WORDS[code]) ?? thrown.message;
}
