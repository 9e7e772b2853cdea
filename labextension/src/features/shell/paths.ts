/** Where a screen is: its kind, what it shows, and the choices made in it. */
export interface IPlace {
  id: string;
  name: string;
  parameters: Readonly<Record<string, string>>;
}

/** Read a path: `jobs`, `jobs/churn-0412`, `jobs/churn-0412?tab=logs`. */
export function parsePath(path: string): IPlace {
  const [place = '', query = ''] = path.split('?', 2);
  const slash = place.indexOf('/');
  const id = slash < 0 ? place : place.slice(0, slash);
  const name = slash < 0 ? '' : decodeURIComponent(place.slice(slash + 1));
  return {
    id,
    name,
    parameters: Object.fromEntries(new URLSearchParams(query))
  };
}

/** The path that {@link parsePath} reads. */
export function formatPath(place: IPlace): string {
  const query = new URLSearchParams(
    Object.entries(place.parameters).filter(([, value]) => value !== '')
  ).toString();
  const name = place.name ? `/${encodeURIComponent(place.name)}` : '';
  return `${place.id}${name}${query ? `?${query}` : ''}`;
}
