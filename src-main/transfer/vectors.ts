type Vector = ArrayLike<number>;

export const dot = (a: Vector, b: Vector): number => {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
};

export const norm = (a: Vector): number => Math.sqrt(dot(a, a));
