import type { JupyterFrontEnd } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  IBottega,
  IBottegaClient,
  IScreen,
  ISection,
  IStudioSettings
} from '../../tokens';
import { openInNotebook } from './notebooks';
import { formatPath, parsePath } from './paths';
import { ScreenWidget } from './screenWidget';

/** What the settings editor starts with; the schema says the same. */
export const DEFAULT_SETTINGS: IStudioSettings = {
  instanceType: 'ml.m5.large',
  notifyCompleted: true,
  notifyFailed: true,
  smoothing: 0
};

/** The shell: knows the sections and the kinds of screens, and opens them in JupyterLab's tabs. */
export class Studio implements IBottega {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _client: IBottegaClient,
    private readonly _trans: TranslationBundle
  ) {}

  get settings(): IStudioSettings {
    return this._settings;
  }

  set settings(settings: IStudioSettings) {
    this._settings = settings;
    this._settingsChanged.emit(settings);
  }

  get settingsChanged(): ISignal<IBottega, IStudioSettings> {
    return this._settingsChanged;
  }

  get sections(): readonly ISection[] {
    return this._sections;
  }

  get sectionsChanged(): ISignal<IBottega, void> {
    return this._sectionsChanged;
  }

  /** Emitted with each new tab, for the tracker that restores them. */
  get opened(): ISignal<IBottega, ScreenWidget> {
    return this._opened;
  }

  addSection(section: ISection): IDisposable {
    const put = (sections: ISection[]): void => {
      this._sections = sections.sort((a, b) => a.rank - b.rank);
      this._sectionsChanged.emit();
    };
    put([...this._sections, section]);
    return new DisposableDelegate(() =>
      put(this._sections.filter(other => other !== section))
    );
  }

  addScreen(screen: IScreen): IDisposable {
    this._screens.add(screen);
    return new DisposableDelegate(() => {
      this._screens.delete(screen);
    });
  }

  open(path: string): ScreenWidget {
    const wanted = parsePath(path);
    const id = `bottega:${formatPath({ ...wanted, parameters: {} })}`;
    const { shell } = this._app;
    let widget = [...shell.widgets('main')].find(other => other.id === id);
    if (widget instanceof ScreenWidget) {
      if (Object.keys(wanted.parameters).length > 0) {
        widget.setParameters(wanted.parameters);
      }
    } else {
      const screen = this._find(wanted.id, wanted.name);
      widget = new ScreenWidget({
        id,
        screen,
        place: wanted,
        client: this._client,
        studio: this,
        trans: this._trans
      });
      shell.add(widget, 'main', { type: 'Bottega' });
      this._opened.emit(widget as ScreenWidget);
    }
    shell.activateById(id);
    return widget as ScreenWidget;
  }

  execute(
    command: string,
    args: Readonly<Record<string, string | number | boolean | null>> = {}
  ): Promise<unknown> {
    return this._app.commands.execute(command, args);
  }

  async openInNotebook(code: string, title: string): Promise<void> {
    try {
      await openInNotebook(this._app, code, title);
    } catch (error) {
      await showErrorMessage(
        this._trans.__('The notebook cannot be opened'),
        error instanceof Error ? error.message : String(error)
      );
    }
  }

  private _find(id: string, name: string): IScreen {
    for (const screen of this._screens) {
      if (screen.id === id && screen.named === (name !== '')) {
        return screen;
      }
    }
    throw new Error(
      this._trans.__('The Studio has no screen for %1.', `${id}/${name}`)
    );
  }

  private _opened = new Signal<IBottega, ScreenWidget>(this);
  private _screens = new Set<IScreen>();
  private _sections: ISection[] = [];
  private _sectionsChanged = new Signal<IBottega, void>(this);
  private _settings = DEFAULT_SETTINGS;
  private _settingsChanged = new Signal<IBottega, IStudioSettings>(this);
}
