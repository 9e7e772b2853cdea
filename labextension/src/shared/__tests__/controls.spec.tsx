import { act, fireEvent, render, screen } from '@testing-library/react';
import { useState } from 'react';

import { trans } from '../../testing/fakeClient';
import { CopyButton, FilterBox } from '../components/controls';

describe('the box to filter by', () => {
  let setValue: (value: string) => void = () => undefined;

  /** A screen that keeps the filter without the blanks around it. */
  function Screen(): JSX.Element {
    const [value, set] = useState('');
    setValue = set;
    return (
      <>
        <FilterBox
          value={value}
          onChange={text => set(text.trim())}
          label="Filter"
          placeholder=""
        />
        <output>{value}</output>
      </>
    );
  }

  const box = (): HTMLInputElement => screen.getByLabelText('Filter');
  const type = (text: string): void => {
    fireEvent.change(box(), { target: { value: text } });
    act(() => jest.advanceTimersByTime(1000));
  };

  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('leaves the blank before the next word', () => {
    render(<Screen />);
    type('status:Failed ');
    expect(screen.getByRole('status').textContent).toBe('status:Failed');
    expect(box().value).toBe('status:Failed ');
    type('status:Failed name:churn');
    expect(screen.getByRole('status').textContent).toBe(
      'status:Failed name:churn'
    );
  });

  it('shows what others have made of the filter', () => {
    render(<Screen />);
    type('churn');
    act(() => setValue(''));
    expect(box().value).toBe('');
    type('churn');
    expect(screen.getByRole('status').textContent).toBe('churn');
  });
});

describe('the button that copies', () => {
  it('works where the page is not a secure one', async () => {
    expect('clipboard' in navigator).toBe(false);
    const copied: string[] = [];
    // What a browser does, and jsdom does not.
    document.execCommand = () =>
      document.body.dispatchEvent(
        Object.assign(new Event('copy'), {
          clipboardData: {
            setData: (_: string, text: string) => copied.push(text)
          }
        })
      );
    render(<CopyButton text={() => 'x = 1'} label="Copy" trans={trans} />);
    fireEvent.click(screen.getByRole('button', { name: 'Copy' }));
    expect(
      await screen.findByRole('button', { name: 'Copied' })
    ).not.toBeNull();
    expect(copied).toEqual(['x = 1']);
  });
});
