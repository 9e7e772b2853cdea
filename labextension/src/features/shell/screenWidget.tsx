import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { ComponentType } from 'react';
import { Component, useEffect, useState } from 'react';

import { Failure, Skeleton } from '../../shared/components/states';
import { statusKind } from '../../shared/components/status';
import { VisibleWidget } from '../../shared/visibleWidget';
import type {
  IBottega,
  IBottegaClient,
  IScreen,
  IScreenFrame,
  IScreenProps
} from '../../tokens';
import type { IPlace } from './paths';
import { formatPath } from './paths';

/** A screen in a tab of the main area. */
export class ScreenWidget extends VisibleWidget implements IScreenFrame {
  constructor(options: {
    id: string;
    screen: IScreen;
    place: IPlace;
    client: IBottegaClient;
    studio: IBottega;
    trans: TranslationBundle;
  }) {
    super();
    this._options = options;
    this._place = options.place;
    this.id = options.id;
    this.addClass('jp-BottegaScreen');
    this.title.closable = true;
    this.title.icon = options.screen.icon;
    this.title.label = options.screen.label(options.place.name);
    this.title.caption = this.title.label;
    this.node.tabIndex = -1;
  }

  /** The path that leads back to what the screen shows now. */
  get path(): string {
    return formatPath(this._place);
  }

  /** Emitted when the path changes. */
  get pathChanged(): ISignal<ScreenWidget, string> {
    return this._pathChanged;
  }

  setTitle(label: string, status = ''): void {
    this.title.label = label;
    this.title.caption = status ? `${label}: ${status}` : label;
    this.title.className = status
      ? `jp-BottegaTab jp-mod-${statusKind(status)}`
      : '';
  }

  setParameters(parameters: Readonly<Record<string, string>>): void {
    const next = {
      ...this._place,
      parameters: { ...this._place.parameters, ...parameters }
    };
    if (formatPath(next) !== this.path) {
      this._place = next;
      this.update();
      this._pathChanged.emit(this.path);
    }
  }

  protected render(): JSX.Element {
    const { screen, client, studio, trans } = this._options;
    return (
      <Guard trans={trans}>
        <Loaded
          screen={screen}
          client={client}
          studio={studio}
          trans={trans}
          name={this._place.name}
          parameters={this._place.parameters}
          frame={this}
        />
      </Guard>
    );
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus({ preventScroll: true });
  }

  private readonly _options;
  private _pathChanged = new Signal<ScreenWidget, string>(this);
  private _place: IPlace;
}

/** Fetches the code of a screen, and shows the screen. */
function Loaded(props: IScreenProps & { screen: IScreen }): JSX.Element {
  const { screen, ...rest } = props;
  const [loaded, setLoaded] = useState<ComponentType<IScreenProps> | null>(
    null
  );
  const [error, setError] = useState<Error | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    setError(null);
    screen.load().then(
      component => setLoaded(() => component),
      (reason: unknown) =>
        setError(reason instanceof Error ? reason : new Error(String(reason)))
    );
  }, [screen, attempt]);
  if (error) {
    return (
      <Failure
        error={error}
        trans={rest.trans}
        what={rest.trans.__('This screen cannot be loaded.')}
        retry={() => setAttempt(attempt + 1)}
      />
    );
  }
  const Screen = loaded;
  return Screen ? <Screen {...rest} /> : <Skeleton trans={rest.trans} />;
}

/** Shows an error of a screen's own code in its place, instead of an empty tab. */
class Guard extends Component<
  { trans: TranslationBundle; children: JSX.Element },
  { error: Error | null }
> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): JSX.Element {
    const { error } = this.state;
    return error ? (
      <Failure
        error={error}
        trans={this.props.trans}
        what={this.props.trans.__('This screen failed.')}
        retry={() => this.setState({ error: null })}
      />
    ) : (
      this.props.children
    );
  }
}
