// Answers every request; ends when asked to.
const http = require('node:http');

const server = http.createServer((_, answer) => answer.end('hello\n'));
server.listen(process.env.PORT, '127.0.0.1', () => console.log(`listening on ${process.env.PORT}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
