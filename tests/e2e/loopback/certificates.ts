/** A certificate authority of the test's own, so that the real host names answer on this machine. */
import { generateKeyPairSync } from "node:crypto";
import forge from "node-forge";

export interface Certificates {
  /** What the programs under test are told to trust. */
  authority: string;
  /** What the loopback server shows, for every host that it plays. */
  certificate: string;
  key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function issue(hosts: readonly string[]): Certificates {
  const issuer = [{ name: "commonName", value: "loopback test authority" }];
  const root = keys();
  const authority = draft(issuer, issuer, root.public, "01");
  authority.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
  ]);
  authority.sign(root.private, forge.md.sha256.create());

  const own = keys();
  const subject = [{ name: "commonName", value: "loopback" }];
  const leaf = draft(subject, issuer, own.public, "02");
  leaf.setExtensions([
    {
      name: "subjectAltName",
      altNames: hosts.map((value) => ({ type: 2, value })),
    },
  ]);
  leaf.sign(root.private, forge.md.sha256.create());
  return {
    authority: forge.pki.certificateToPem(authority),
    certificate: forge.pki.certificateToPem(leaf),
    key: forge.pki.privateKeyToPem(own.private),
  };
}

function keys() {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  return {
    public: forge.pki.publicKeyFromPem(publicKey),
    private: forge.pki.privateKeyFromPem(privateKey),
  };
}

function draft(
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
  publicKey: forge.pki.rsa.PublicKey,
  serialNumber: string,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = serialNumber;
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + DAY_MS);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer);
  return certificate;
}
