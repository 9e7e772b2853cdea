import type { IListRunColumnsResponse } from '../../../api/types/experiments';

/** What a column shows: an attribute of the run, or a metric, parameter or tag by name. */
export type ColumnKind = 'attributes' | 'metrics' | 'params' | 'tags';

/** A column by kind and name; its id is `metrics.auc`, as in the filter. */
export interface IColumnName {
  kind: ColumnKind;
  name: string;
}

/** The attributes that are columns, in the order they come in. */
export const ATTRIBUTES = [
  'status',
  'run_name',
  'start_time',
  'duration',
  'job',
  'user',
  'source'
] as const;

/** Read a column's id. */
export function parseColumn(id: string): IColumnName {
  const dot = id.indexOf('.');
  return {
    kind: id.slice(0, dot) as ColumnKind,
    name: id.slice(dot + 1)
  };
}

/** The ids of all columns that runs have, attributes first. */
export function columnIds(columns: IListRunColumnsResponse): string[] {
  return [
    ...ATTRIBUTES.map(name => `attributes.${name}`),
    ...columns.Metrics.map(name => `metrics.${name}`),
    ...columns.Params.map(name => `params.${name}`),
    ...columns.Tags.map(name => `tags.${name}`)
  ];
}

/** The names of one kind among column ids. */
export function namesOf(ids: readonly string[], kind: ColumnKind): string[] {
  return ids
    .map(parseColumn)
    .filter(column => column.kind === kind)
    .map(column => column.name);
}
