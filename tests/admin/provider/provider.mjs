// A real OpenID Connect provider on loopback, for the tests: node provider.mjs PORT OUR_URL
import Provider from 'oidc-provider';

const [port, ours] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
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
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
