import { act, render } from '@testing-library/react';
import type { ComponentType } from 'react';
import { useState } from 'react';

import type { IScreenProps } from '../tokens';
import type { screenProps } from './fakeClient';
import { FakeFrame } from './fakeClient';

/** A screen on the page, and the fakes around it. */
export type ShownScreen = ReturnType<typeof screenProps> & {
  container: HTMLElement;
};

/** Show a screen in a tab whose parameters are those that the screen sets, as in JupyterLab. */
export function showScreen(
  Screen: ComponentType<IScreenProps>,
  props: ReturnType<typeof screenProps>
): ShownScreen {
  let update: (parameters: Record<string, string>) => void = () => undefined;
  class LiveFrame extends FakeFrame {
    override setParameters(parameters: Readonly<Record<string, string>>): void {
      super.setParameters(parameters);
      act(() => update({ ...this.parameters }));
    }
  }
  const frame = new LiveFrame();
  frame.parameters = { ...props.parameters };
  function Tab(): JSX.Element {
    const [parameters, setParameters] = useState(props.parameters);
    update = setParameters;
    return <Screen {...props} frame={frame} parameters={parameters} />;
  }
  const { container } = render(<Tab />);
  return { ...props, frame, container };
}

/** Give elements a size, which the test's browser does not: what is long draws what is in sight. */
export function giveSizes(): void {
  const names = ['offsetHeight', 'offsetWidth', 'clientHeight'] as const;
  for (const name of names) {
    Object.defineProperty(HTMLElement.prototype, name, {
      configurable: true,
      get: () => 600
    });
  }
}
