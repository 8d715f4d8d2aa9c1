// A real OpenID Connect provider on loopback, for the tests: node provider.mjs OUR_URL
// It says at which port it listens: one that is chosen before may be somebody else's by then.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [ours] = process.argv.slice(2);
const provider = (port) => new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'authz',
    client_secret: 'a secret of the tests',
    redirect_uris: [`${ours}/admin/sign-in/back/school`],
    post_logout_redirect_uris: [`${ours}/admin/sign-in`],
  }],
  cookies: { keys: ['of the tests'] },
  pkce: { required: () => true },
  findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  server.on('request', provider(port).callback());
  console.log(port);
});
