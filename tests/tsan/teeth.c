// teeth.c — two threads count on one number without a lock: a run of ThreadSanitizer that does not say so is worth nothing.
#include <pthread.h>
#include <stdio.h>

static int counted;

static void *count(void *arg)
{
    for (int i = 0; i < 1000; i++) counted++;
    return arg;
}

int main(void)
{
    pthread_t one, two;
    if (pthread_create(&one, NULL, count, NULL) != 0 || pthread_create(&two, NULL, count, NULL) != 0) return 1;
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%d\n", counted);
    return 0;
}
