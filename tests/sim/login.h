/* login.h: the client's side of SASL: PLAIN, SCRAM (RFC 4616, 5802, 7677), tokens (XEP-0484).
 * Computed here from the passwords alone; nothing of the server's scram.c is used. */
#ifndef KITH_SIM_LOGIN_H
#define KITH_SIM_LOGIN_H

#include "client.h"

struct login {
    const char *mechanism;
    const char *username;
    const char *password;
    const char *authzid; /* NULL: none */
    const char *flag;    /* gs2-cbind-flag, "n" by default */
    const char *tamper;  /* nonce, binding, proof, order, syntax, base64, or NULL */
    const char *first;   /* put before n= ("m=x,"), or NULL */
    const char *more;    /* put after the client's nonce (",x=y"), or NULL */
    const char *token;   /* of mechanisms HT-…-NONE */
    bool asked;          /* no initial response: wait for the empty challenge */
    bool second;         /* XEP-0388; the <success/> stays unread */
    const char *asks;    /* what else is in <authenticate/>, or NULL */
    /* What came of it. */
    const char *salt; /* base64, NULL: it did not get that far */
    const char *iterations;
    const char *extensions; /* of server-first, "" if none */
    const char *verifier;   /* data of <success/>; NULL: none */
};

/* Settles the house as often as needed. "success", the failure's condition, "stream:CONDITION", or
 * a sentence that starts with '!' when the server broke the protocol. */
const char *login_try(struct client *client, struct login *login);

#endif
