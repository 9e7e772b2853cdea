import type { TranslationBundle } from '@jupyterlab/translation';

/** The Launcher's category for everything that the Studio starts; its cards are in this order. */
export function launcherItem(
  trans: TranslationBundle,
  command: string,
  card: LauncherCard
): { command: string; category: string; categoryRank: number; rank: number } {
  return {
    command,
    category: trans.__('Machine learning'),
    categoryRank: 10,
    rank: CARDS.indexOf(card)
  };
}

/** The cards of the category. */
export type LauncherCard = (typeof CARDS)[number];

const CARDS = [
  'prepare',
  'train',
  'autopilot',
  'label',
  'deploy',
  'pipeline'
] as const;
