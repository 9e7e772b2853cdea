/** What SageMaker takes for the name of most resources, as a pattern of an input. */
export const NAME_PATTERN = '[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}';

const NAME = new RegExp(`^${NAME_PATTERN}$`);

/** Whether a text may be a resource's name. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** A name made of another one: cut to what a name may be. */
export function suggestedName(source: string): string {
  return source
    .replace(/[^a-zA-Z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
}
