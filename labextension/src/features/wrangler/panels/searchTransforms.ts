import { StringExt } from '@lumino/algorithm';

import type { IFlowTransform } from '../../../api/types/wrangler';

/** Transforms of one group of the palette. */
export interface ITransformGroup {
  group: string;
  transforms: IFlowTransform[];
}

/**
 * The transforms that are offered: not those that are only there for flows that have them already.
 *
 * Older forms have a newer one, code for Spark cannot run, and the dialog of a join knows itself
 * how many keys it has.
 */
export function offered(
  transforms: readonly IFlowTransform[]
): IFlowTransform[] {
  return transforms.filter(
    ({ Operator: operator, Name: name }) =>
      !/\.(custom_pandas|custom_pyspark|join_multi_keys)_/.test(operator) &&
      name !== 'Python (PySpark)'
  );
}

/**
 * The transforms that a search means, best first, in their groups.
 *
 * Every word of the search must be found: in the name, in the words that people use for it, in the
 * group or in the sentence; or its letters one after the other in the name.
 */
export function searchTransforms(
  transforms: readonly IFlowTransform[],
  query: string
): ITransformGroup[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const scored = transforms
    .map((transform, index) => ({
      transform,
      index,
      score: scoreOf(transform, words)
    }))
    .filter(item => item.score > 0);
  if (words.length > 0) {
    scored.sort(
      (one, other) => other.score - one.score || one.index - other.index
    );
  }
  const groups: ITransformGroup[] = [];
  for (const { transform } of scored) {
    const known = groups.find(item => item.group === transform.Group);
    if (known) {
      known.transforms.push(transform);
    } else {
      groups.push({ group: transform.Group, transforms: [transform] });
    }
  }
  return groups;
}

function scoreOf(transform: IFlowTransform, words: readonly string[]): number {
  let sum = 1;
  for (const word of words) {
    const score = wordScore(transform, word);
    if (score === 0) {
      return 0;
    }
    sum += score;
  }
  return sum;
}

function wordScore(transform: IFlowTransform, word: string): number {
  const name = transform.Name.toLowerCase();
  const others = transform.Words.map(item => item.toLowerCase());
  if (name === word || others.includes(word)) {
    return 100;
  }
  if (name.startsWith(word)) {
    return 80;
  }
  if (name.split(/[\s-/]+/).some(part => part.startsWith(word))) {
    return 60;
  }
  if (others.some(item => item.startsWith(word))) {
    return 50;
  }
  if (name.includes(word)) {
    return 40;
  }
  if (transform.Group.toLowerCase().includes(word)) {
    return 30;
  }
  if (transform.Sentence.toLowerCase().includes(word)) {
    return 20;
  }
  // Letters with others between them: few, or everything would be found.
  const found = word.length > 2 ? StringExt.matchSumOfDeltas(name, word) : null;
  return found && found.score <= word.length ? 10 : 0;
}
