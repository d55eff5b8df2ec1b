// The samples as they are, with what they print.
export async function tour({ folder }) {
  const lines = [];
  console.log = (...values) => lines.push(values.join(" "));
  await import(`./node_modules/.realtimestreams/${folder}/tour.mjs`);
  return lines;
}
