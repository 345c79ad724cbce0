/** Points on a canvas by WebGL: a hundred thousand in one call. */

const vertex = `
attribute vec2 place;
attribute vec3 color;
uniform vec2 scale;
uniform vec2 shift;
uniform float size;
varying vec3 shown;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  gl_PointSize = size;
  shown = color;
}`;
const fragment = `
precision mediump float;
varying vec3 shown;
void main() {
  if (distance(gl_PointCoord, vec2(0.5)) > 0.5) discard;
  gl_FragColor = vec4(shown, 1.0);
}`;

export interface PointCloud {
  /** Places within −1 to 1, [points, 2]. */
  place(places: Float32Array): void;
  /** Red, green, blue from 0 to 255, [points, 3]. */
  color(colors: Uint8Array): void;
  /** `scale` and `shift` take places to the canvas's −1 to 1; `size` in device pixels. */
  draw(view: { scale: readonly [number, number]; shift: readonly [number, number]; size: number }): void;
  dispose(): void;
}

/** Null where the browser has no WebGL. */
export function openPointCloud(canvas: HTMLCanvasElement): PointCloud | null {
  const gl = canvas.getContext('webgl', { antialias: false });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  const attribute = (name: string, width: number, type: number, isShare: boolean) => {
    const buffer = gl.createBuffer();
    const at = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at);
    return (data: Float32Array | Uint8Array) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
      gl.vertexAttribPointer(at, width, type, isShare, 0, 0);
    };
  };
  const places = attribute('place', 2, gl.FLOAT, false);
  const colors = attribute('color', 3, gl.UNSIGNED_BYTE, true);
  const [scaleAt, shiftAt, sizeAt] = ['scale', 'shift', 'size'].map((name) =>
    gl.getUniformLocation(program, name),
  );
  let count = 0;
  return {
    place(data) {
      count = data.length / 2;
      places(data);
    },
    color: colors,
    draw({ scale, shift, size }) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(scaleAt, ...scale);
      gl.uniform2f(shiftAt, ...shift);
      gl.uniform1f(sizeAt, size);
      gl.drawArrays(gl.POINTS, 0, count);
    },
    dispose: () => gl.getExtension('WEBGL_lose_context')?.loseContext(),
  };
}
