import type {
  IDescribeModelLineageResponse,
  ILineageNode
} from '../../api/types/registry';

/** What was made of the resource that a lineage is about, and of that in turn; nearest first. */
export function madeOf(lineage: IDescribeModelLineageResponse): ILineageNode[] {
  const nodes = new Map(lineage.Nodes.map(node => [node.Id, node]));
  const reached = new Set([lineage.Focus]);
  // A set goes on over what is added to it on the way.
  for (const id of reached) {
    for (const edge of lineage.Edges) {
      if (edge.Source === id) {
        reached.add(edge.Target);
      }
    }
  }
  reached.delete(lineage.Focus);
  return [...reached].flatMap(id => nodes.get(id) ?? []);
}

/**
 * The screen of a version of the registry.
 *
 * @param name its ARN, or `group/number`.
 * @returns null where it is no version of a group.
 */
export function versionPath(name: string): string | null {
  const [, group, version] = /([^/:]+)\/(\d+)$/.exec(name) ?? [];
  return group && version
    ? `models/${encodeURIComponent(group)}?version=${version}`
    : null;
}
