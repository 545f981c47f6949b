// Validates a path as Java's own PKIX does, with OCSP and with CRLs, for tests/status.rs:
//   java CheckPath.java ocsp|crl ROOT ISSUING CERTIFICATE
// Prints "valid", or "not valid: " and why; anything else that goes wrong ends it with a trace.
import java.io.FileInputStream;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

public class CheckPath {
    static X509Certificate read(String file) throws Exception {
        try (FileInputStream in = new FileInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    public static void main(String[] words) throws Exception {
        System.setProperty("com.sun.security.enableCRLDP", "true");
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        // The authority's own status is told by the root's CRL, so OCSP alone would not do for it.
        EnumSet<Option> options = EnumSet.of(Option.NO_FALLBACK);
        if (words[0].equals("crl")) {
            options.add(Option.PREFER_CRLS);
        } else {
            options.add(Option.ONLY_END_ENTITY);
        }
        checker.setOptions(options);
        PKIXParameters parameters =
            new PKIXParameters(Set.of(new TrustAnchor(read(words[1]), null)));
        parameters.addCertPathChecker(checker);
        var path = CertificateFactory.getInstance("X.509")
            .generateCertPath(List.of(read(words[3]), read(words[2])));
        try {
            validator.validate(path, parameters);
            System.out.println("valid");
        } catch (CertPathValidatorException refused) {
            System.out.println("not valid: " + refused.getReason());
        }
    }
}
