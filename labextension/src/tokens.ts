import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { ComponentType } from 'react';

import type { IBottegaClient as IClient } from './api/client';
import type { IStudioEvent } from './api/types/studio';

export const IBottegaClient = new Token<IBottegaClient>(
  '@bottega/labextension:IBottegaClient',
  'Calls the operations of the studio and listens to its events.'
);

/** The one client of this JupyterLab. */
export type IBottegaClient = IClient;

export const IBottega = new Token<IBottega>(
  '@bottega/labextension:IBottega',
  'The Studio itself: features add their sidebar sections and screens to it, and open screens.'
);

/** One line of a sidebar section. */
export interface ISectionItem {
  label: string;
  /** The screen it opens. */
  path: string;
  /** Opens it instead, where it is no screen; the path then only tells it from others. */
  open?: () => void;
  /** Colours the dot before the label; the note says the same in words. */
  status: string;
  /** The short text at the end of the line: elapsed time, requests a second. */
  note: string;
  /** While something runs: since when, in seconds; the note is the time since then. */
  since?: number;
}

/** What a sidebar section shows now. */
export interface ISectionContent {
  /** At the end of the heading: `2 running`, `12`. */
  count: string;
  /** The newest five. */
  items: ISectionItem[];
}

/** A section of the sidebar. */
export interface ISection {
  id: string;
  label: string;
  /** Sections are in the order of their ranks. */
  rank: number;
  /** Which events change what the section shows. */
  concerns: (event: IStudioEvent) => boolean;
  /** Emitted when what the section shows has changed, for what has no events. */
  changed?: ISignal<unknown, void>;
  load: () => Promise<ISectionContent>;
  /** Read again after so many milliseconds too, for what has no events. */
  every?: number;
  /** The screen of *Open all*. */
  path: string;
  /** What the button of the heading starts. */
  create?: { label: string; command: string };
  /** One sentence while there is nothing. */
  empty: string;
}

/** What a screen is given. */
export interface IScreenProps {
  client: IBottegaClient;
  studio: IBottega;
  trans: TranslationBundle;
  /** What follows the screen's own part of the path: the name of a resource. */
  name: string;
  /** The query of the path, `tab=logs` say. */
  parameters: Readonly<Record<string, string>>;
  frame: IScreenFrame;
}

/** The tab that a screen is in. */
export interface IScreenFrame {
  /** Whether the screen can be seen: nothing polls while it cannot. */
  readonly isVisible: boolean;
  readonly visibilityChanged: ISignal<unknown, boolean>;
  /** Name the tab; the status shows as its icon's sign and in its caption. */
  setTitle(label: string, status?: string): void;
  /** Keep a choice in the screen's path, so that a reload and a link lead back to it. */
  setParameters(parameters: Readonly<Record<string, string>>): void;
  close(): void;
}

/** A kind of screen. */
export interface IScreen {
  /** The first part of its paths: `jobs` for `jobs` and `jobs/churn-0412`. */
  id: string;
  /** Whether this kind shows the path with (or without) a name behind the id. */
  named: boolean;
  /** The tab's label until the screen sets its own. */
  label: (name: string) => string;
  icon: LabIcon;
  /** Fetches the screen's code; it is not part of the first load. */
  load: () => Promise<ComponentType<IScreenProps>>;
}

/** A choice of the user, as the settings editor has it. */
export interface IStudioSettings {
  instanceType: string;
  notifyCompleted: boolean;
  notifyFailed: boolean;
  smoothing: number;
}

/** The shell that features plug into. */
export interface IBottega {
  readonly settings: IStudioSettings;
  readonly settingsChanged: ISignal<IBottega, IStudioSettings>;
  readonly sections: readonly ISection[];
  readonly sectionsChanged: ISignal<IBottega, void>;
  addSection(section: ISection): IDisposable;
  addScreen(screen: IScreen): IDisposable;
  /**
   * Show a screen, in the tab it has already or in a new one.
   *
   * @param path `jobs`, `jobs/churn-0412`, `jobs/churn-0412?tab=logs`.
   */
  open(path: string): void;
  /** Run a command of JupyterLab, `bottega:train` say. */
  execute(
    command: string,
    args?: Readonly<Record<string, string | number | boolean | null>>
  ): Promise<unknown>;
  /** Put code into a new notebook and show it, or show why that cannot be done. */
  openInNotebook(code: string, title: string): Promise<void>;
}
