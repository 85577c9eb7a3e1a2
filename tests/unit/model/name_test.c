// SPDX-License-Identifier: Apache-2.0
/* Distinguished names: each line was tried on Java's X500Principal (17). */
#include "model/name.h"

#include "support/test.h"

#include <stdlib.h>

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"", true},
        {"CN=a", true},
        {"cn=a", true},
        {"CN=a,O=b", true},
        {"CN=a;O=b", true},
        {"CN=a+O=b", true},
        {"CN", false},
        {"CN=", true},
        {"=a", false},
        {"XX=a", false},
        {"1.2.3=a", true},
        {"OID.1.2.3=a", true},
        {"oid.1.2.3=a", true},
        {"CN=\"a,b\"", true},
        {"CN=\"a", false},
        {"CN=a\"b", false},
        {"CN=a\\,b", true},
        {"CN=a\\", false},
        {"CN=a\\zz", false},
        {"CN=a\\41", true},
        {"CN=#0401", false},
        {"CN=#04", false},
        {"CN=#zz", false},
        {"CN=#", false},
        {"CN=a,", false},
        {"CN=a, O=b", true},
        {" CN=a", true},
        {"CN =a", true},
        {"CN= a", true},
        {"CN=a\nO=b", true},
        {"EMAILADDRESS=x@y", true},
        {"E=x@y", false},
        {"EMAIL=a", true},
        {"DC=a", true},
        {"UID=a", true},
        {"SERIALNUMBER=1", true},
        {"T=1", true},
        {"ST=1", true},
        {"S=1", true},
        {"STREET=a", true},
        {"IP=1", true},
        {"SURNAME=a", true},
        {"GIVENNAME=a", true},
        {"INITIALS=a", true},
        {"GENERATION=a", true},
        {"DNQ=a", true},
        {"DNQUALIFIER=a", true},
        {"anyone", false},
        {"a<b", false},
        {"CN=a<b", false},
        {"CN=a=b", true},
        {"CN=a#b", true},
        {",CN=a", false},
        {"CN=a,,O=b", false},
        {"1=a", false},
        {"1.2=a", true},
        {"3.1=a", false},
        {"1.40=a", false},
        {"CN=a+", false},
        {"CN=\"a\"b", false},
        {"CN=\"a\" ,O=b", true},
        {"C=", true},
        {"CN=a;", false},
        {"TITLE=a", false},
        {"O.1=a", false},
        {"OID.CN=a", false},
        {"CN=é", true},
        {"CN=a>b", false},
        {"CN=\\#a", true},
        {"SN=a", false},
        {"L=a", true},
        {"OU=a", true},
        {"CN=\"#0401\"", true},
        {"CN=\"\"", true},
        {"CN=a\\ ", true},
        {"CN=\\ a", true},
        {"CN=#040", false},
        {"CN=#040141", true},
        {"CN=#04014", false},
        {"2.5.4.3=a", true},
        {"2.5.4.3=#0c0161", true},
        {"0.9.2342.19200300.100.1.1=x", true},
        {"1.2.=a", false},
        {".1=a", false},
        {"1..2=a", false},
        {"CN=a,O", false},
        {"CN=a O=b", true},
        {"CN=a  ,  O=b", true},
        {"CN=a ; O = b", true},
        {"01.2=a", true},
        {"1.02=a", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (fk_name_valid(fk_bytes_text(rows[i].text)) != rows[i].valid) {
            fail_msg("<%s>: expected %d", rows[i].text, rows[i].valid);
        }
    }
}

/* No name makes it read behind its end: the sanitizers' build looks. */
static void cut_names(void **state)
{
    (void)state;
    static const char text[] = "CN=\"a\\\"b\", O=#040141 + OU=x\\41\\,y;1.2.3=z";
    assert_true(fk_name_valid(fk_bytes_text(text)));
    for (size_t size = 0; size < sizeof text - 1; size++) {
        uint8_t *copy = (uint8_t *)malloc(size + (size == 0 ? 1 : 0));
        assert_non_null(copy);
        memcpy(copy, text, size);
        (void)fk_name_valid(fk_bytes_of(copy, size));
        free(copy);
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(names),
    FK_TEST(cut_names),
};

FK_TEST_MAIN(tests)
