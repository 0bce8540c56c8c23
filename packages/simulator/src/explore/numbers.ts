// Lists of whole numbers that grow to tens of millions: one typed array each, doubled when it is full.

export interface Numbers {
  values: Int32Array
  length: number
}

export const noNumbers = (): Numbers => ({ values: new Int32Array(1 << 12), length: 0 })

export const append = (numbers: Numbers, value: number): void => {
  if (numbers.length === numbers.values.length) {
    const larger = new Int32Array(numbers.length * 2)
    larger.set(numbers.values)
    numbers.values = larger
  }
  numbers.values[numbers.length] = value
  numbers.length += 1
}

export const numberAt = ({ values }: Numbers, index: number): number => values[index] ?? -1
