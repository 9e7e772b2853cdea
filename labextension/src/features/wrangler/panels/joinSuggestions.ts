import type { IFlowColumn } from '../../../api/types/wrangler';

/** A pair of columns that rows are matched by. */
export interface IKeyPair {
  left: string;
  right: string;
}

/**
 * Keys that two tables may be joined by: columns of equal names, letters aside, and of types that
 * can be equal. What looks like an identifier comes first, and alone where there is one.
 */
export function suggestKeys(
  left: readonly IFlowColumn[],
  right: readonly IFlowColumn[]
): IKeyPair[] {
  const pairs = left.flatMap(column => {
    const other = right.find(
      item =>
        plain(item.Name) === plain(column.Name) && areComparable(item, column)
    );
    return other ? [{ left: column.Name, right: other.Name }] : [];
  });
  const keys = pairs.filter(pair =>
    /(^|_|-|\b)(id|key|code)$/i.test(snake(pair.left))
  );
  return keys.length > 0 ? keys.slice(0, 1) : pairs.slice(0, 1);
}

/** Whether values of two columns can be equal. */
export function areComparable(one: IFlowColumn, other: IFlowColumn): boolean {
  return kindOf(one) === kindOf(other);
}

function kindOf(column: IFlowColumn): string {
  switch (column.Type) {
    case 'long':
    case 'float':
      return 'number';
    case 'date':
    case 'datetime':
      return 'time';
    default:
      return column.Type;
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** `customerId` as `customer_Id`, so that its last word is seen. */
function snake(name: string): string {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, '$1_$2');
}
