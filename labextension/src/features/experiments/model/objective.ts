/** Whether more of a metric is better, or less. */
export type Direction = 'higher' | 'lower';

const HIGHER = [
  'auc',
  'accuracy',
  'acc',
  'f1',
  'r2',
  'map',
  'ndcg',
  'precision',
  'recall',
  'score',
  'reward',
  'bleu',
  'iou'
];
const LOWER = [
  'loss',
  'logloss',
  'error',
  'merror',
  'err',
  'rmse',
  'mse',
  'mae',
  'mape',
  'rmsle',
  'msd',
  'perplexity',
  'entropy',
  'crossentropy',
  'deviance',
  'nll'
];
const HELD_OUT = ['validation', 'valid', 'val', 'test', 'eval', 'holdout'];

/** The words of a metric's name: `validation:logloss`, `val_loss`, `testAuc`. */
function words(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

/** What the name of a metric says about its direction; null when it says nothing. */
export function knownDirection(name: string): Direction | null {
  const found = words(name);
  // Losses first: `accuracy_loss` is a loss.
  if (found.some(word => LOWER.includes(word) || word.endsWith('loss'))) {
    return 'lower';
  }
  return found.some(word => HIGHER.includes(word)) ? 'higher' : null;
}

/** A guess that the user can change. */
export function guessDirection(name: string): Direction {
  return knownDirection(name) ?? 'higher';
}

/** The metric that most likely is what runs are judged by: a known one, of held-out data. */
export function guessObjective(metrics: readonly string[]): string {
  const weight = (name: string): number =>
    (knownDirection(name) ? 2 : 0) +
    (words(name).some(word => HELD_OUT.includes(word)) ? 1 : 0);
  return metrics.reduce(
    (best, name) => (weight(name) > weight(best) ? name : best),
    metrics[0] ?? ''
  );
}
